// Has the proof of work done beside the page while somebody fills the form, and puts it into the form.
// Sending before it is done waits for it. Nothing of the form is seen by the solver, and nothing is sent anywhere.
const box = document.querySelector("[data-work]");
const field = document.querySelector('input[name="altcha"]');
if (box && field) {
  const work = JSON.parse(box.dataset.work);
  let pressed = null; // the button with which somebody sent the form too early
  const say = (text) => { box.textContent = text; box.hidden = false; };
  const waits = (event) => {
    event.preventDefault();
    pressed = event.submitter;
    say(box.dataset.textWorking);
  };
  field.form.addEventListener("submit", waits);
  const end = (text) => {
    field.form.removeEventListener("submit", waits);
    say(text);
    if (pressed) field.form.requestSubmit(pressed);
  };
  say(box.dataset.textWorking);
  const solver = new Worker(box.dataset.solver);
  solver.onmessage = ({ data: number }) => {
    if (number !== null) {
      const { algorithm, challenge, salt, signature } = work;
      field.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    }
    end(number === null ? box.dataset.textFailed : box.dataset.textDone);
  };
  solver.onerror = () => end(box.dataset.textFailed);
  solver.postMessage([work.salt, work.challenge, work.maxnumber]);
}
