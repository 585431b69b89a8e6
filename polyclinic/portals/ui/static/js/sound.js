// A chime made on the spot: two tones, no file to load. Browsers stay silent until the person has touched the page.
/** @type {AudioContext | undefined} */
let audio;

/** Ask for sound; call it from a click. */
export const allow = async () => {
  audio ??= new AudioContext();
  if (audio.state === "suspended") await audio.resume();
};

export const chime = () => {
  if (!audio || audio.state !== "running") return;
  [784, 587].forEach((pitch, at) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const begins = audio.currentTime + at * 0.35;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, begins);
    volume.gain.exponentialRampToValueAtTime(0.4, begins + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, begins + 0.6);
    tone.connect(volume).connect(audio.destination);
    tone.start(begins);
    tone.stop(begins + 0.65);
  });
};
