"""Sounds that are no speech, made up at random for the speech gate: noises, tones, telephones, machines, music, animals.

Each maker takes a random generator and a number of samples at 16 kHz and returns float32 of any level; `sound` picks
one, colours it, sets it into a room, and gives it a level between -65 and -8 dB of full scale. The same generator gives
the same sound. Samples are in units of the last bit of 16.
"""

import numpy as np
import scipy.signal

RATE = 16000
FULL = 32768.0
DTMF = ([697, 770, 852, 941], [1209, 1336, 1477, 1633])
RINGS = [(425,), (440, 480), (400, 450), (350, 440), (480, 620), (950,), (1400,), (425, 450)]
CADENCES = [(1, 3), (2, 4), (0.4, 0.2, 0.4, 2), (0.5, 0.5), (0.25, 0.25), (1, 4), (0.2, 0.2), (10, 0)]
SCALES = [[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 3, 5, 7, 10]]


def seconds(count):
    return np.arange(count) / RATE


def between(random, low, high):
    """A random number, evenly spread over the logarithm."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def curve(random, count, every, spread):
    """A smooth random walk around 0: a new value each `every` seconds."""
    knots = random.normal(0, spread, max(2, int(count / RATE / every) + 2))
    return np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)


def coloured(random, count):
    spectrum = np.fft.rfft(random.standard_normal(count))
    place = np.arange(len(spectrum)) + 20
    noise = np.fft.irfft(spectrum * place ** (-0.5 * random.uniform(-1.5, 3)), count)
    if random.random() < 0.3:
        noise = noise * np.exp(curve(random, count, between(random, 0.1, 3), random.uniform(0.2, 1.2)))
    return noise


def banded(random, count):
    low = between(random, 40, 4000)
    band = [low, min(low * between(random, 1.1, 6), 7900)]
    return scipy.signal.sosfilt(scipy.signal.butter(2, band, "band", fs=RATE, output="sos"), random.standard_normal(count))


def wind(random, count):
    edge = between(random, 80, 600)
    noise = scipy.signal.sosfilt(scipy.signal.butter(1, edge, fs=RATE, output="sos"), random.standard_normal(count))
    return noise * np.exp(curve(random, count, between(random, 0.15, 2), random.uniform(0.5, 1.5)))


def hum(random, count):
    base = random.choice([50, 60]) * (1 + random.normal(0, 1e-3))
    phase = 2 * np.pi * base * seconds(count)
    out = sum(random.exponential(1 / n) * np.sin(n * phase + random.uniform(0, 6)) for n in range(1, random.integers(2, 40)))
    return out / np.std(out) + random.choice([0, 0.01, 0.1]) * random.standard_normal(count)


def tone(random, count):
    t, out = seconds(count), np.zeros(count)
    for _ in range(random.integers(1, 4)):
        frequency = between(random, 60, 7500)
        out += random.uniform(0.2, 1) * np.sin(2 * np.pi * frequency * t + random.uniform(0, 6))
    if random.random() < 0.5:
        out *= 1 + random.uniform(0, 1) * scipy.signal.square(2 * np.pi * between(random, 0.2, 20) * t, random.uniform(0.1, 0.9))
    if random.random() < 0.3:
        out = np.clip(out, -0.5, 0.5)
    return out


def cadence(random, count, out):
    """Switches a tone on and off."""
    pattern = np.array(CADENCES[random.integers(len(CADENCES))])
    edges = np.cumsum(np.tile(pattern, 1 + int(count / RATE / pattern.sum()) + 1)) * random.uniform(0.8, 1.2)
    on = np.searchsorted(edges, seconds(count) + random.uniform(0, pattern.sum()), side="right") % 2 == 0
    return out * scipy.signal.lfilter([1 / 80] * 80, 1, on)


def ring(random, count):
    frequencies = RINGS[random.integers(len(RINGS))]
    t = seconds(count)
    out = sum(np.sin(2 * np.pi * f * (1 + random.normal(0, 0.01)) * t) for f in frequencies)
    if random.random() < 0.4:  # a bell or a warble: two tones in turn
        turn = scipy.signal.square(2 * np.pi * random.uniform(8, 30) * t) > 0
        out = np.where(turn, out, np.sin(2 * np.pi * between(random, 400, 2500) * t))
    return cadence(random, count, out)


def dial(random, count):
    out, at = np.zeros(count), 0
    while at < count:
        length, pause = (int(RATE * random.uniform(0.05, 0.4)) for _ in range(2))
        t = seconds(min(length, count - at))
        pair = [random.choice(DTMF[0]), random.choice(DTMF[1])]
        out[at : at + len(t)] = sum(np.sin(2 * np.pi * f * t) for f in pair)
        at += length + pause
    return out


def sweep(random, count):
    t, period = seconds(count), between(random, 0.1, 10)
    place = scipy.signal.sawtooth(2 * np.pi * t / period, random.choice([0, 0.5, 1])) / 2 + 0.5
    low, high = np.sort([between(random, 60, 7000), between(random, 60, 7000)])
    frequency = low * (high / low) ** place if random.random() < 0.5 else low + (high - low) * place
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    return np.sin(phase) if random.random() < 0.6 else scipy.signal.sawtooth(phase, 0.5)


def modem(random, count):
    symbol = max(1, int(RATE / between(random, 20, 1200)))
    base, step = between(random, 500, 2500), between(random, 20, 800)
    symbols = random.integers(0, random.choice([2, 4, 8]), count // symbol + 1)
    frequency = np.repeat(base + step * symbols, symbol)[:count]
    return np.sin(2 * np.pi * np.cumsum(frequency) / RATE)


def morse(random, count):
    unit = int(RATE * random.uniform(0.04, 0.12))
    lengths = random.choice([1, 1, 1, 3, 3, 7], count // unit + 2)
    on = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths * unit)[:count]
    return np.sin(2 * np.pi * between(random, 300, 1500) * seconds(count)) * scipy.signal.lfilter([1 / 60] * 60, 1, on)


def strike(random, count, kind):
    """One hit: a decaying noise, a decaying mode of a body, or a drum whose pitch falls."""
    t = seconds(count)
    decay = np.exp(-t / between(random, 0.003, 0.4))
    if kind == 0:
        return random.standard_normal(count) * decay
    if kind == 1:
        modes = [between(random, 80, 6000) for _ in range(random.integers(1, 6))]
        return sum(np.sin(2 * np.pi * f * t) * np.exp(-t / between(random, 0.01, 0.5)) for f in modes)
    low, high = between(random, 30, 120), between(random, 100, 800)
    return np.sin(2 * np.pi * np.cumsum(low + high * np.exp(-t * between(random, 10, 80))) / RATE) * decay


def hits(random, count):
    """Clicks, keys, drops, applause: hits at random times; drums and clocks: hits in time."""
    out, kinds = np.zeros(count), [strike(random, RATE // 2, random.integers(3)) for _ in range(random.integers(1, 5))]
    if random.random() < 0.5:
        beat = between(random, 0.08, 1.0)
        times = [(n * beat * random.choice([1, 1, 1, 0.5]), n % len(kinds)) for n in range(int(count / RATE / beat))]
    else:
        rate = between(random, 0.5, 60)
        times = [(at, random.integers(len(kinds))) for at in random.uniform(0, count / RATE, int(rate * count / RATE))]
    for at, kind in times:
        start = int(at * RATE)
        hit = kinds[kind][: max(0, count - start)] * random.uniform(0.2, 1)
        out[start : start + len(hit)] += hit
    return out


def note(random, pitch, count, timbre):
    """One note: partials that decay, their number and weight by the instrument."""
    t = seconds(count)
    partials, slope, decay, attack, vibrato, detune = timbre
    phase = 2 * np.pi * np.cumsum(pitch * (1 + vibrato * np.sin(2 * np.pi * 5.5 * t))) / RATE
    out = np.zeros(count)
    for n in range(1, partials + 1):
        if n * pitch < 7800:
            out += n**-slope * np.sin(n * (1 + detune * n) * phase) * np.exp(-t * n**0.5 / decay)
    return out * np.minimum(1, t / attack) * np.minimum(1, (t[-1] - t) / 0.01 + 1e-3)


def music(random, count):
    """Chords, melodies or both, by one to three instruments of random timbre."""
    out, beat = np.zeros(count), random.uniform(0.15, 1.5)
    scale, key = SCALES[random.integers(len(SCALES))], random.integers(36, 60)
    for _ in range(random.integers(1, 4)):
        timbre = (random.integers(1, 25), random.uniform(0, 2.5), between(random, 0.05, 5), between(random, 0.002, 0.2),
                  random.choice([0, 0, 0.004, 0.01]), random.choice([0, 0, 1e-4, 1e-3]))  # fmt: skip
        voices, octave = random.integers(1, 6), 12 * random.integers(0, 3)
        for start in np.arange(0, count, int(beat * RATE)):
            length = min(int(beat * RATE * random.choice([1, 1, 2, 0.5])), count - start)
            for _ in range(voices if length > 160 else 0):
                pitch = 440 * 2 ** ((key + octave + random.choice(scale) - 69) / 12)
                out[start : start + length] += note(random, pitch, length, timbre)
    if random.random() < 0.4:
        out = out / (np.std(out) + 1e-9) + random.uniform(0.2, 2) * normal(hits(random, count))
    return out


def motor(random, count):
    """Pulses or partials of a slowly changing speed through resonances, and rattle: engines, drills, vacuum cleaners."""
    speed = between(random, 8, 400) * np.exp(curve(random, count, between(random, 0.3, 5), random.uniform(0, 0.3)))
    phase = np.cumsum(speed) / RATE
    pulses = np.diff(np.floor(phase), prepend=0) if random.random() < 0.5 else scipy.signal.sawtooth(2 * np.pi * phase)
    out = pulses + random.uniform(0, 0.3) * random.standard_normal(count) * (1 + np.sin(2 * np.pi * phase))
    for _ in range(random.integers(0, 3)):
        b, a = scipy.signal.iirpeak(between(random, 80, 4000), between(random, 2, 15), fs=RATE)
        out = out + random.uniform(0.5, 4) * scipy.signal.lfilter(b, a, out)
    return out


def birds(random, count):
    """Chirps, whistles, squeaks and yelps: short sounds of gliding pitch above the voice, some with partials."""
    out, at = np.zeros(count), 0
    low = random.choice([300, 1000, 2000])
    while at < count:
        length = min(int(RATE * between(random, 0.02, 0.5)), count - at)
        glide = np.linspace(0, 1, length)
        pitch = between(random, low, 6000) * between(random, 0.5, 2) ** glide
        phase = 2 * np.pi * np.cumsum(pitch + random.uniform(0, 200) * np.sin(2 * np.pi * random.uniform(5, 60) * glide)) / RATE
        voice = sum(random.exponential(1 / n) * np.sin(n * phase) * (n * pitch < 7800) for n in range(1, random.integers(2, 5)))
        out[at : at + length] = voice * np.sin(np.pi * glide) * random.uniform(0.2, 1)
        at += length + int(RATE * between(random, 0.02, 1.0))
    return out


def gusts(random, count):
    """Bursts of shaped noise: breaths, coughs without voice, rubbing, paper, waves, steam."""
    out, at = np.zeros(count), 0
    while at < count:
        length = min(int(RATE * between(random, 0.05, 2)), count - at)
        burst = banded(random, length) * np.sin(np.pi * np.linspace(0, 1, length) ** between(random, 0.3, 2))
        out[at : at + length] = burst / (np.std(burst) + 1e-9) * random.uniform(0.1, 1)
        at += length + int(RATE * between(random, 0.02, 1.5))
    return out


MAKERS = [(coloured, 3), (banded, 1), (wind, 1), (hum, 1), (tone, 1.5), (ring, 1.5), (dial, 1), (sweep, 1), (modem, 0.5),
          (morse, 0.5), (hits, 3), (music, 4), (motor, 2), (birds, 1.5), (gusts, 2)]  # fmt: skip
CHANCES = np.array([chance for _, chance in MAKERS]) / sum(chance for _, chance in MAKERS)


def normal(samples):
    return samples / (np.sqrt(np.mean(samples**2)) + 1e-9)


def faint(random, count):
    """What a recorder makes of nothing: digital silence, an offset, dither of one bit."""
    kind = random.integers(4)
    if kind == 0:
        return np.full(count, float(random.choice([0, 0, 1, -3, 200])), np.float32)
    wide = [lambda: random.integers(-1, 2, count), lambda: np.round(random.uniform(-1, 1, count) + random.uniform(-1, 1, count)),
            lambda: np.round(random.normal(0, between(random, 0.3, 5), count))][kind - 1]  # fmt: skip
    return wide().astype(np.float32)


def plain(random, count):
    """One sound at full scale's level, coloured and set into a room now and then."""
    made = normal(MAKERS[random.choice(len(MAKERS), p=CHANCES)][0](random, count))
    if random.random() < 0.3:
        b, a = scipy.signal.iirpeak(between(random, 100, 5000), between(random, 2, 6), fs=RATE)
        made = normal(made + random.uniform(0, 4) * scipy.signal.lfilter(b, a, made))
    if random.random() < 0.3:
        tail = random.standard_normal(RATE // 2) * np.exp(-seconds(RATE // 2) / between(random, 0.02, 0.25))
        made = normal(made + random.uniform(0.2, 1) * normal(scipy.signal.fftconvolve(made, tail)[:count]))
    return made


def unscaled(random, count):
    """One sound, or two together, of unit level."""
    made = plain(random, count)
    if random.random() < 0.25:
        made = normal(made + between(random, 0.05, 1) * plain(random, count))
    return made.astype(np.float32)


def sound(random, count):
    """A sound at a level of its own, rounded to 16 bits as often as not."""
    if random.random() < 0.06:
        return faint(random, count)
    made = unscaled(random, count) * FULL * 10 ** (random.uniform(-65, -8) / 20)
    if random.random() < 0.2:  # an edge from or to silence
        made[: random.integers(count)] = 0 if random.random() < 0.5 else made[: 1]
    return (np.round(made) if random.random() < 0.5 else made).astype(np.float32)
