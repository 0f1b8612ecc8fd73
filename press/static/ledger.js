// The filters of the ledger, its tiles as one tab stop, and links that open the row they lead to. Without it every row is there, unfiltered.
(() => {
  const filters = document.querySelector('.bn-filters');
  const rows = [...document.querySelectorAll('[data-verdict]')];
  const tiles = [...document.querySelectorAll('.bn-tiles a')];
  const tileOf = new Map(tiles.map(tile => [tile.hash.replace('#claim-', '').toUpperCase(), tile]));
  const buttons = [...filters.querySelectorAll('button[data-field]')];
  const fields = [...new Set(buttons.map(each => each.dataset.field))];
  const parts = [...new Set(rows.map(row => row.closest('section')))];
  const group = document.querySelector('.bn-pending-claims');
  const said = group?.querySelector('summary').textContent;
  const clear = filters.querySelector('.bn-clear');

  // what is asked for stands in the address, so that it can be sent and comes back
  const asked = () => new URLSearchParams(location.search);
  const has = (row, field, value) => !value || row.dataset[field].split(' ').includes(value);
  const ask = query => {
    history.replaceState(null, '', `${location.pathname}${query.size ? `?${query}` : ''}`);
    show();
  };

  function show() {
    const query = asked(), wanted = Object.fromEntries(fields.map(field => [field, query.get(field) || '']));
    const filtered = Object.values(wanted).some(Boolean);
    let judged = 0, pending = 0;
    for (const row of rows) {
      row.hidden = !fields.every(field => has(row, field, wanted[field]));
      tileOf.get(row.id).toggleAttribute('data-off', row.hidden);
      if (!row.hidden) row.dataset.verdict === 'pending' ? pending++ : judged++;
    }
    for (const part of parts) part.hidden = !rows.some(row => !row.hidden && part.contains(row));
    for (const each of buttons) {
      const { field, value } = each.dataset;
      const others = fields.filter(other => other !== field);
      const count = rows.filter(row => has(row, field, value) && others.every(other => has(row, other, wanted[other]))).length;
      each.setAttribute('aria-pressed', String(wanted[field] === value));
      each.querySelector('small').textContent = count;
    }
    if (group) {
      group.querySelector('summary').textContent = filtered ? `${said}, ${pending} of them shown` : said;
      group.open = filtered && pending > 0 && (!judged || wanted.verdict === 'pending');
    }
    clear.hidden = !filtered;
    filters.querySelector('[role=status]').textContent = judged + pending
      ? `Shown: ${judged + pending} of ${rows.length} claims, ${judged} of them judged.` : 'Nothing matches: no claim has all of this.';
  }

  function open(id, { instantly } = {}) {
    const place = document.getElementById(id), row = place?.closest('.bn-claim, .bn-row') || place;
    if (!row) return;
    if (row.hidden) {
      history.replaceState(null, '', `${location.pathname}#${id}`);
      show();
    }
    for (let each = row; each; each = each.parentElement) if (each.tagName === 'DETAILS') each.open = true;
    row.scrollIntoView(instantly ? { behavior: 'instant' } : {});
    const line = row.querySelector('summary') || Object.assign(row, { tabIndex: -1 });
    if (!instantly) setTimeout(() => line.focus({ preventScroll: true }));  // after the link itself, which leaves the focus on the body
  }

  // the tiles are one stop for the tab key; arrows, Home and End go from one to the next
  const stop = tile => tiles.forEach(each => { each.tabIndex = each === tile ? 0 : -1; });
  stop(tiles[0]);
  document.querySelector('.bn-tiles').addEventListener('keydown', event => {
    const at = tiles.indexOf(event.target);
    const columns = tiles.filter(tile => tile.offsetTop === tiles[0].offsetTop).length;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: tiles.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();  // the theme turns pages by arrow
    if (!tiles[to]) return;
    stop(tiles[to]);
    tiles[to].focus();
  });

  for (const each of buttons) each.addEventListener('click', () => {
    const query = asked(), { field, value } = each.dataset;
    value ? query.set(field, value) : query.delete(field);
    ask(query);
  });
  clear.addEventListener('click', () => {
    const query = asked();
    for (const field of fields) query.delete(field);
    ask(query);
    (filters.querySelector('details').open ? buttons[0] : filters.querySelector('summary')).focus();
  });
  for (const tile of tiles) tile.addEventListener('click', () => {
    stop(tile);
    open(tile.hash.slice(1));
  });
  addEventListener('hashchange', () => open(decodeURIComponent(location.hash.slice(1))));
  for (const cite of document.querySelectorAll('.bn-cite')) {
    const copy = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Copy' });
    copy.addEventListener('click', async () => {
      await navigator.clipboard.writeText(cite.querySelector('pre').textContent);
      copy.textContent = 'Copied';
    });
    cite.append(copy);
  }
  show();
  if (matchMedia('(max-width: 600px)').matches) filters.querySelector('details').open = false;
  filters.hidden = false;
  open(decodeURIComponent(location.hash.slice(1)), { instantly: true });
})();
