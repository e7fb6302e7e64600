"""A domain of our own writing: what a telephone exchange says to callers. Two thousand lines of it for `paretone adapt`, and
other prompts, whose sentences are not among them, to be spoken and recognised (scripts/eval/domain.py).

    scripts/eval/prompts.py            prints the text
    scripts/eval/prompts.py --spoken   prints the other prompts
"""

import random
import sys

LINES = 2000

SLOTS = {
    "DIGIT": "zero one two three four five six seven eight nine".split(),
    "COUNT": "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty".split(),
    "KEY": ["pound", "star", "hash", "pound", "star"],
    "WHO": ["an operator", "a representative", "the receptionist", "an agent", "the next attendant", "customer support", "the front desk"],
    "TEAM": ["sales", "billing", "technical support", "accounts", "the help desk", "reception", "shipping", "human resources", "repairs"],
    "THING": ["extension", "password", "account number", "pin code", "mailbox number", "conference number", "access code", "agent id", "phone number"],
    "BOX": ["mailbox", "voicemail", "inbox", "old messages", "work folder", "family folder", "urgent messages"],
    "GREETING": ["greeting", "unavailable message", "busy message", "temporary greeting", "recorded name", "announcement"],
    "ROOM": ["conference", "meeting room", "conference bridge", "call", "parking lot"],
    "DAY": "monday tuesday wednesday thursday friday saturday sunday today yesterday tomorrow".split(),
    "STATE": ["busy", "unavailable", "not available", "on the phone", "not logged in", "out of the office", "forwarded", "disconnected"],
    "SERVICE": ["call forwarding", "call waiting", "do not disturb", "caller id", "voicemail", "follow me", "call recording", "speed dial"],
    "SWITCH": ["activated", "deactivated", "enabled", "disabled", "turned on", "turned off", "cancelled"],
}

# What a line says; names in capitals are filled in from SLOTS.
FORMS = [
    "thank you for calling", "thank you for calling TEAM please hold", "welcome to TEAM", "please hold while i connect your call",
    "please hold while i transfer you to WHO", "your call is being transferred to TEAM", "one moment please while i try that extension",
    "for TEAM press DIGIT", "for TEAM press DIGIT for TEAM press DIGIT", "to speak with WHO press DIGIT", "press DIGIT for TEAM",
    "to reach TEAM press DIGIT now", "to repeat these options press KEY", "to repeat this menu press DIGIT", "press KEY to return to the main menu",
    "if you know your party's extension you may dial it at any time", "if you know the extension dial it now",
    "please enter your THING", "please enter your THING followed by the KEY key", "enter the THING then press KEY", "enter your THING and then press the KEY key",
    "that THING is not valid please try again", "i am sorry that is not a valid THING", "the THING you entered is incorrect", "sorry i did not get that please enter your THING again",
    "your THING has been changed", "please enter your new THING", "please enter your new THING again followed by KEY", "the THINGs you entered do not match",
    "you have COUNT new messages", "you have COUNT new messages and COUNT old messages", "you have no new messages", "you have COUNT urgent messages in your BOX",
    "message COUNT received DAY at COUNT COUNT", "first message", "last message", "next message press DIGIT", "there are no more messages in your BOX",
    "press DIGIT to save this message", "press DIGIT to delete this message", "press DIGIT to hear the message envelope", "message deleted", "message saved to your BOX",
    "press DIGIT to forward the message to another mailbox", "press DIGIT to reply to this message", "to call the sender press DIGIT",
    "please leave your message after the tone", "please leave a message after the tone when done hang up or press the KEY key",
    "after the tone say your name and then press the KEY key", "record your GREETING after the tone then press KEY",
    "to record your GREETING press DIGIT", "to listen to your GREETING press DIGIT", "press DIGIT to accept this recording", "press DIGIT to record your GREETING again",
    "your GREETING has been saved", "your message is too short", "your BOX is full", "the BOX you are calling is full goodbye",
    "the person at extension DIGIT DIGIT DIGIT is STATE", "the person you are calling is STATE", "extension DIGIT DIGIT DIGIT DIGIT is STATE", "the number you have dialed is STATE",
    "the number you have dialed is not in service please check the number and dial again", "the party you are calling is STATE please try again later",
    "all of our agents are busy please stay on the line", "all circuits are busy now please try your call again later", "all agents in TEAM are STATE",
    "your call is important to us please stay on the line", "you are caller number COUNT in the queue", "there are COUNT callers ahead of you",
    "your call will be answered in the order in which it was received", "the estimated wait is COUNT minutes", "your estimated hold time is less than COUNT minutes",
    "you are currently the first caller in line", "to keep your place and be called back press DIGIT",
    "you are the only person in this ROOM", "there are COUNT participants in the ROOM", "has joined the ROOM", "has left the ROOM", "please enter the THING for the ROOM",
    "you are now muted press KEY to unmute", "this ROOM is locked", "the ROOM is now locked", "the leader has left the ROOM", "you have been removed from the ROOM",
    "this ROOM is being recorded", "please wait the ROOM will begin when the leader arrives", "your call has been placed in the parking lot at DIGIT DIGIT",
    "SERVICE has been SWITCH", "SERVICE is SWITCH", "SERVICE has been SWITCH for this extension", "to turn SERVICE on or off press DIGIT", "enter the number for SERVICE followed by KEY",
    "your calls will be forwarded to extension DIGIT DIGIT DIGIT", "please say the name of the person you would like to reach", "for a directory of names press KEY",
    "spell the last name of the person using your keypad", "for the company directory press DIGIT", "press DIGIT if this is the person you want", "no names match please try again",
    "our office is now closed", "our office hours are DAY to DAY from COUNT to COUNT", "we are closed on DAY please call back on DAY", "if this is an emergency hang up and dial DIGIT DIGIT DIGIT",
    "this call may be monitored or recorded", "you have reached the voicemail of", "you are logged in as agent DIGIT DIGIT", "agent logged off", "login incorrect please enter your THING",
    "incoming call from extension DIGIT DIGIT DIGIT press DIGIT to accept", "your account balance is COUNT dollars and COUNT cents", "you have COUNT minutes remaining",
    "goodbye", "thank you goodbye", "please try again", "invalid extension please try again", "i am sorry i did not understand your response", "sorry you are having trouble goodbye",
    "dial DIGIT to cancel", "press KEY to cancel or DIGIT to continue", "the time is COUNT COUNT", "beep", "please wait",
]

# To be spoken: other sentences of the same trade, written by hand.
SPOKEN = """
you have three unheard voicemails and one urgent message
to hear your unheard messages press one
press the star key to cancel and go back to the mailbox options
please dial the extension of the person you wish to reach
enter your mailbox and then press pound
the password is incorrect please enter your password again
your voicemail password has been reset
to erase this recording and start again press three
you may hang up or press pound for more options
that extension is not valid
extension two zero four is on the phone
the person at extension five one one is unavailable
all representatives are currently assisting other callers
you are caller number four in line
your estimated wait is six minutes
please remain on the line and an agent will be with you shortly
for billing questions press two
for repairs or shipping press four
to reach the operator dial zero at any time
press nine to hear this menu again
thank you for holding your call will be answered next
the conference leader has not yet arrived
you are the first participant in the conference
there are seven other participants in this conference
the conference is full please try again later
you are muted
you have been unmuted
please record your name followed by the pound key
your temporary greeting has been deleted
to change your password press five
to forward this voicemail to another extension press eight
call forwarding to voicemail is enabled
do not disturb has been cancelled
call waiting deactivated
caller id is unavailable for this call
your call has been parked on extension seven oh two
transferring your call to technical support
sorry nobody is available to take your call
please leave a short message after the beep
the mailbox is full and cannot accept messages
agent login failed
please enter your agent number followed by the hash key
you are now logged off
the number dialed is disconnected or no longer in service
check the number and dial again
our offices are closed until monday
this call will be recorded
you have reached a number that has been disconnected
enter the access code for the meeting room
the access codes do not match
your remaining balance is twelve dollars
press pound to skip this announcement
to return to the previous menu press star
message sent
message forwarded to mailbox four four one
no more messages
old messages were moved to the family folder
to save it in the work folder press two
please enter the pin code again
the pin code is not valid goodbye
""".split("\n")[1:-1]


def spoken():
    """The prompts that are spoken."""
    return SPOKEN


def text(seed=1):
    """Lines of the domain, none of them spoken; what has nothing to fill in is there more than once, as people hear it."""
    draw = random.Random(seed)
    lines = []
    while len(lines) < LINES:
        line = " ".join(filled(word, draw) for word in draw.choice(FORMS).split())
        if line not in SPOKEN:
            lines.append(line)
    return lines


def filled(word, draw):
    """A word of a form, or what stands for it; "THINGs" is the plural of "THING"."""
    plural = "s" if word.endswith("s") and word[:-1] in SLOTS else ""
    slot = word.removesuffix(plural)
    return draw.choice(SLOTS[slot]) + plural if slot in SLOTS else word


if __name__ == "__main__":
    print("\n".join(SPOKEN if "--spoken" in sys.argv else text()))
