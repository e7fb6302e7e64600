//! What does a frame look like? MFCC and mean normalisation.
