/* Copies the address of a heading, a figure or a claim, and remembers which chapters were read to their end. */
(() => {
  const said = Object.assign(document.createElement("p"), { className: "visually-hidden" });
  said.setAttribute("role", "status");
  document.body.append(said);

  const copy = async (button, id) => {
    history.replaceState(null, "", "#" + id);
    let done = true;
    try { await navigator.clipboard.writeText(location.href); } catch { done = false; }
    const word = done ? "copied" : "in the address bar"; // a browser may refuse; the address stands there either way
    button.dataset.said = word;
    said.textContent = "";
    setTimeout(() => { said.textContent = done ? "Address copied" : "The address is in the address bar"; }, 50);
    setTimeout(() => { delete button.dataset.said; }, 1800);
  };
  const button = (id, what, text) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "bn-copy", textContent: text });
    made.setAttribute("aria-label", "Copy link to " + what); // begins as it is seen
    made.addEventListener("click", event => { event.preventDefault(); copy(made, id); });
    return made;
  };
  const words = element => {
    const copied = element.cloneNode(true);
    copied.querySelectorAll(".headerlink, .bn-copy, .katex-html, button").forEach(each => each.remove());
    return copied.textContent.replace(/\s+/g, " ").trim();
  };

  document.querySelectorAll("article :is(h1, h2, h3, h4, dt) > a.headerlink").forEach(link => {
    const made = button(decodeURIComponent(link.hash.slice(1)), words(link.parentElement).slice(0, 60), "#");
    made.classList.add("headerlink");
    link.replaceWith(made, " "); // of the same size: nothing moves; words stay apart
  });
  document.querySelectorAll("article figure[id]").forEach(figure => {
    const place = figure.querySelector(".bn-links") || figure.querySelector("figcaption");
    place?.insertBefore(button(figure.id, "this figure", "copy link"), place.querySelector(":scope > .bn-bar")); // or last
  });
  document.querySelectorAll("article .bn-claim[id]").forEach(claim => {
    const place = claim.querySelector(".bn-claim-foot") || claim.querySelector(".bn-claim-head");
    place?.append(" ", button(claim.querySelector(`[id^="claim-"]`)?.id || claim.id, "this verdict", "copy link"));
  });

  let read = [];
  const page = link => new URL(link.href).pathname;
  try { read = JSON.parse(localStorage.getItem("bn-read")) || []; } catch { /* nothing is remembered */ }
  document.querySelectorAll(".bd-sidebar-primary nav li > a").forEach(link => {
    if (!read.includes(page(link))) return;
    link.classList.add("bn-read");
    link.append(Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: " (read)" }));
  });
  const end = document.querySelector(".bn-next") || document.querySelector(".bn-reading") && document.querySelector("footer");
  if (end) new IntersectionObserver((entries, observer) => {
    if (!entries.some(each => each.isIntersecting)) return;
    observer.disconnect();
    if (!read.includes(location.pathname)) try { localStorage.setItem("bn-read", JSON.stringify([...read, location.pathname])); } catch { /* private window */ }
  }).observe(end);
})();
