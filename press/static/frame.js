// The frame around a page: its colours, the field for a search, the bars at both sides, the way back to the top.
// The theme's own scripts do this with a library four times as large, and lay the whole page out to do it.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const store = (where, name, value) => { try { where.setItem(name, value); } catch { /* not kept, then */ } };

  // ---- colours: light, dark, or as the system has them; chosen before the first paint by the head of the page
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = mode => {
    const theme = mode !== "auto" ? mode : dark.matches ? "dark" : "light";
    Object.assign(root.dataset, { mode, theme });
    store(localStorage, "mode", mode);
    store(localStorage, "theme", theme);
  };
  dark.addEventListener("change", () => { if (root.dataset.mode === "auto") paint("auto"); });
  for (const button of all(".theme-switch-button")) {
    button.addEventListener("click", () => {
      const modes = dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
      paint(modes[(modes.indexOf(root.dataset.mode) + 1) % 3]);
    });
  }

  // ---- the field for a search: by its buttons and by Ctrl + K; where the page has a field of its own, that one
  const layer = document.querySelector(".search-button__wrapper");
  const field = document.querySelector("main form.bd-search input") || layer?.querySelector("input");
  const search = () => {
    const open = layer.contains(field) && layer.classList.toggle("show");
    if (layer.contains(field) && !open) return field.blur();
    field.focus();
    field.select();
  };
  if (field) {
    const apple = /^(Mac|iP)/.test(navigator.platform);
    if (apple) for (const key of all(".search-button__kbd-shortcut .kbd-shortcut__modifier:first-child")) key.textContent = "⌘";
    for (const each of all(".search-button__button, .search-button__overlay")) each.addEventListener("click", search);
    addEventListener("keydown", event => {
      if (event.key === "Escape" && document.activeElement === field && layer.classList.contains("show")) search();
      const asked = (apple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) && event.key.toLowerCase() === "k";
      if (!asked || event.shiftKey || event.altKey) return;
      event.preventDefault();
      search();
    }, true);
  }

  // ---- the bars at the sides, on a narrow screen: the focus goes in with the bar, and back to its button
  for (const side of ["primary", "secondary"]) {
    const button = document.querySelector(`.${side}-toggle`), bar = document.querySelector(`.bd-sidebar-${side}`);
    const box = document.getElementById(`pst-${side}-sidebar-checkbox`);
    if (!button || !bar || !box) continue;
    button.addEventListener("click", event => {
      event.preventDefault();
      box.checked = !box.checked;
      if (box.checked) setTimeout(() => bar.querySelector("a, button")?.focus(), 100); // when it has come in
    });
    bar.addEventListener("keydown", event => {
      if (event.key !== "Escape" || !box.checked) return;
      box.checked = false;
      button.focus();
    });
    box.addEventListener("change", () => { if (!box.checked) button.focus(); });
  }

  // ---- the bar of all chapters stays where it was
  const chapters = document.querySelector(".bd-sidebar-primary");
  if (chapters) {
    let place = null;
    try { place = sessionStorage.getItem("sidebar-scroll-top"); } catch { /* at its top, then */ }
    requestAnimationFrame(() => { // laid out by then
      const here = all("nav .active", chapters).at(-1), bar = chapters.getBoundingClientRect();
      if (place !== null) chapters.scrollTop = place;
      else if (here) chapters.scrollTop = Math.max(0, here.getBoundingClientRect().top - bar.top - bar.height / 2);
    });
    addEventListener("pagehide", () => store(sessionStorage, "sidebar-scroll-top", chapters.scrollTop));
  }

  // ---- the page's own contents mark the section that is read
  const entries = all(".bd-toc-nav a[href^='#']");
  const sections = new Map(entries.map(entry => [document.getElementById(decodeURIComponent(entry.hash.slice(1))), entry]));
  const seen = new Set();
  const spy = new IntersectionObserver(changes => {
    for (const { target, isIntersecting } of changes) seen[isIntersecting ? "add" : "delete"](sections.get(target));
    const here = entries.findLast(entry => seen.has(entry));
    if (!here) return;
    for (const entry of entries) {
      const within = entry.parentElement.contains(here);
      entry.classList.toggle("active", within);
      entry.parentElement.classList.toggle("active", within);
    }
  }, { rootMargin: "0px 0px -60%" });
  for (const section of sections.keys()) if (section) spy.observe(section);

  // ---- back to the top, when the reader turns back
  const back = document.getElementById("pst-back-to-top");
  let height = scrollY;
  addEventListener("scroll", () => {
    back.style.display = scrollY < height && scrollY > innerHeight ? "block" : "none";
    height = scrollY;
  }, { passive: true });
  back.addEventListener("click", () => scrollTo({ top: 0 }));

  // ---- a menu closes behind its reader
  for (const menu of all("details.dropdown")) {
    const close = () => { menu.open = false; };
    document.addEventListener("click", event => { if (!menu.contains(event.target)) close(); });
    menu.addEventListener("keydown", event => {
      if (event.key !== "Escape" || !menu.open) return;
      close();
      menu.querySelector("summary").focus();
    });
  }

  // ---- what the style sheet leaves for later is laid out when nothing else is to be done, a little at a time
  const later = all(".bd-article > section > section > *, .bn-panels > svg, .bn-code, .katex-display");
  const lay = deadline => {
    do {
      const each = later.shift();
      if (!each) return;
      each.style.contentVisibility = "visible";
      each.getBoundingClientRect();
    } while (deadline.timeRemaining() > 8);
    requestIdleCallback(lay);
  };
  if (globalThis.requestIdleCallback) addEventListener("load", () => requestIdleCallback(lay));

  // ---- what scrolls sideways is reached by keyboard; looked at when it is laid out, opened or made narrower
  const reach = new ResizeObserver(changes => {
    const scrolls = each => each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight;
    const found = changes.map(({ target }) => [target, scrolls(target)]); // all are read before one is written
    for (const [each, scrolling] of found) each.tabIndex = scrolling ? 0 : -1;
  });
  for (const each of all("article :is(pre, .cell_output > .output)")) reach.observe(each);
})();
