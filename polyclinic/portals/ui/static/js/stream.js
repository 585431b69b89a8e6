// One server-sent event stream, read with fetch: unlike EventSource it shows the status code (a lost session is not a
// lost line) and the heartbeat comments (a half-open line is noticed by its silence).

/** @typedef {{event: string, id: string, data: string}} Frame */

/**
 * Take whole frames off the front of `text`. Returns them and what is left over.
 * @param {string} text @returns {{frames: Frame[], rest: string}}
 */
export const split = (text) => {
  const parts = text.split(/\r?\n\r?\n/);
  const rest = parts.pop() ?? "";
  const frames = [];
  for (const part of parts) {
    const frame = { event: "message", id: "", data: "" };
    const data = [];
    for (const line of part.split(/\r?\n/)) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? ["", "", ""];
      if (field === "event") frame.event = value;
      else if (field === "id") frame.id = value;
      else if (field === "data") data.push(value);
    }
    frame.data = data.join("\n");
    // A beat has a position and no data: it moves the cursor of a quiet page.
    if (data.length || frame.id) frames.push(frame);
  }
  return { frames, rest };
};

/**
 * Read `url` until it ends. Resolves to the HTTP status (200 when a good stream ended), rejects when the line breaks.
 * @param {string} url @param {AbortSignal} signal
 * @param {{open: () => void, bytes: () => void, frame: (frame: Frame) => void}} on
 */
export const read = async (url, signal, on) => {
  const answer = await fetch(url, { headers: { Accept: "text/event-stream" }, cache: "no-store", signal });
  if (!answer.ok || !answer.body) return answer.status;
  on.open();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return answer.status;
    on.bytes();
    const { frames, rest } = split(text + value);
    text = rest;
    frames.forEach(on.frame);
  }
};
