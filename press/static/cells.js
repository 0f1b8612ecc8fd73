// Bars and predictions: a place in something closed is opened when a link leads there; one switch opens all bars, answers and solutions.
// Without this file every bar still opens by itself, and every answer by a choice.
(() => {
  const bars = [...document.querySelectorAll('details.bn-bar')];

  // ---- a link leads into something that is closed
  const reveal = () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    if (place.id.startsWith('judges-')) place.querySelectorAll('details.bn-bar, details.bn-claim').forEach(each => { each.open = true; });
    for (let box = place; box; box = box.parentElement) {
      if (box.matches('details')) box.open = true;
      if (box.matches('.bn-answer')) {
        const predict = box.parentElement;
        if (!predict.querySelector(':scope > fieldset :checked')) predict.querySelector('.bn-skip input').checked = true;
      }
      if (box.matches('.toggle-hidden')) box.querySelector('.toggle-button')?.click();
    }
    place.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  document.addEventListener('click', event => {  // the same link once more changes no hash
    const link = event.target.closest('a[href*="#"]');
    if (link && link.href === location.href) reveal();
  });
  if (location.hash) reveal();

  // ---- read / code
  const header = document.querySelector('.article-header-buttons');
  if (!header || !bars.length) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'bn-switch';
  button.innerHTML = '<span>read</span> <span>code</span>';
  button.title = 'Pressed: code, checks, answers and solutions lie open, on every page';
  const solutions = open => {
    for (const each of document.querySelectorAll('.solution.toggle')) {
      if (each.matches('.toggle-hidden') === open) each.querySelector('.toggle-button')?.click();
    }
  };
  const show = open => {
    button.setAttribute('aria-pressed', open);
    for (const bar of bars) bar.open = open;
    for (const each of document.querySelectorAll('.bn-predict')) {  // a guess stays, and what it showed
      if (!open || !each.querySelector(':checked')) each.querySelector('.bn-skip input').checked = open;
    }
    solutions(open);
  };
  const stored = () => { try { return localStorage.getItem('bn-code') === 'open'; } catch { return false; } };
  const store = open => { try { localStorage.setItem('bn-code', open ? 'open' : ''); } catch { /* not kept, then */ } };
  button.addEventListener('click', () => {
    const open = button.getAttribute('aria-pressed') !== 'true';
    const top = each => each.getBoundingClientRect().top;
    const read = [...document.querySelectorAll('article :is(h1, h2, h3, p, figure, .bn-claim, .bn-predict)')]  // its place stays, whatever opens above
      .find(each => top(each) > 60 && each.checkVisibility() && !each.closest('.bn-bar, .bn-answer, .solution'));
    const before = read && top(read);
    show(open);
    store(open);
    if (read) scrollBy({ top: top(read) - before, behavior: 'instant' });
  });
  button.setAttribute('aria-pressed', false);
  if (stored()) {
    show(true);
    addEventListener('load', () => solutions(true));  // the theme folds them until then
  }
  header.prepend(button);
})();
