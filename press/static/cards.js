// Cards: what stands behind a number, a term, a symbol, a source or a claim, on hover, focus or tap; Esc closes. The text is the `title` of
// the element, or its `data-card`, which other scripts and pages may set on anything; `data-card-link` names its link.
// Without this file the titles are plain tooltips.
(() => {
  const REFERENCES = { '#term-': '', '#claim-': 'to its row in the ledger', 'bibliography.html#': 'to the bibliography' };
  const WITH = ['a.bn-number[title]', '.bn-symbol[title]', '[data-card]',
    ...Object.keys(REFERENCES).map(part => `a.reference[title][href*="${part}"]`)].join(', ');
  const leads = element => element.matches('.bn-number') ? 'prove this number'
    : Object.entries(REFERENCES).find(([part]) => element.getAttribute('href')?.includes(part))?.[1] || '';
  const main = document.querySelector('main') || document.body;
  const card = document.createElement('div');
  card.className = 'bn-card';
  card.hidden = true;
  const text = document.createElement('div');
  text.id = 'bn-card-text';
  const link = document.createElement('a');
  card.append(text);
  main.append(card);
  let owner = null, timer = 0, before = null, touched = false;

  const words = said => {  // of a number: how it was found, then a line each
    const [, head, rest] = said.match(/^((?:exact|measured)[^:]*): (.*)$/s) || [null, '', said];
    const line = (name, content) => {
      const made = document.createElement(name);
      made.textContent = content;
      return made;
    };
    return head ? [line('strong', head), ...rest.split(/[,;] /).map(each => line('div', each))] : [line('div', rest)];
  };

  const place = () => {
    const box = [...owner.getClientRects()].at(-1) || owner.getBoundingClientRect();
    const around = (card.offsetParent || document.documentElement).getBoundingClientRect();
    const space = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(box.left, space - card.offsetWidth - 8));
    const below = box.bottom + card.offsetHeight + 12 < innerHeight || box.top < card.offsetHeight + 70;
    card.style.left = `${left - around.left}px`;
    card.style.top = `${(below ? box.bottom + 6 : box.top - card.offsetHeight - 6) - around.top}px`;
  };

  const hide = () => {
    clearTimeout(timer);
    owner?.removeAttribute('aria-describedby');
    owner = null;
    card.hidden = true;
  };

  const show = element => {
    clearTimeout(timer);
    if (owner === element) return;
    hide();
    owner = element;
    if (!owner.dataset.card) {
      owner.dataset.card = owner.title;
      owner.removeAttribute('title');
    }
    text.replaceChildren(...words(owner.dataset.card));
    const name = owner.dataset.cardLink || leads(owner);
    if (name) card.append(link);
    else link.remove();  // an empty one leads nowhere
    link.textContent = name;
    if (name) link.href = owner.href || owner.dataset.cardHref;
    owner.setAttribute('aria-describedby', text.id);
    card.hidden = false;
    place();
  };

  const later = (run, wait) => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
  const found = event => event.target.closest?.(WITH);
  document.addEventListener('pointerover', event => {
    if (event.pointerType === 'touch') return;
    if (card.contains(event.target)) clearTimeout(timer);
    else if (found(event)) later(() => show(found(event)), 150);
    else if (owner && !owner.matches(':focus-visible')) later(hide, 250);
    else clearTimeout(timer);
  });
  document.addEventListener('focusin', event => {
    if (found(event)) show(found(event));
    else if (owner && !card.contains(event.target)) hide();
  });
  document.addEventListener('pointerdown', event => {
    touched = event.pointerType === 'touch';
    before = owner;
    if (owner && !found(event) && !card.contains(event.target)) hide();
  });
  document.addEventListener('click', event => {
    const element = found(event);
    if (element && touched && before !== element) {  // the first tap shows, the second follows
      event.preventDefault();
      show(element);
    } else if (element || card.contains(event.target)) hide();
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape') hide(); });
  addEventListener('resize', hide);
})();
