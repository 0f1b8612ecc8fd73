// Results in groups: claims and terms by name first, then the pages, the helper package last. Behind Sphinx's searchtools.js.
const NAMES = JSON.parse(document.getElementById('bn-names').textContent);
const API = 'chapters/reference/api/';
const plain = (text) => text.toLowerCase().normalize('NFKD').replace(/[̀-ͯ]/g, '');

// 3: the name itself, 2: its beginning, 1: every word stands in the name or in what it says
const closeness = ({ name, says }, query, words) => {
  const own = plain(name);
  if (own === query) return 3;
  if (own.startsWith(query)) return 2;
  const all = `${own} ${plain(says)}`;
  return words.length && words.every((word) => all.includes(word)) ? (words.every((word) => own.includes(word)) ? 1.5 : 1) : 0;
};

const named = (kind, query) => {
  const words = query.split(/\s+/).filter(Boolean);
  return NAMES.filter((each) => each.kind === kind)
    .map((each) => [closeness(each, query, words), each])
    .filter(([close]) => close)
    .sort((a, b) => b[0] - a[0])
    .slice(0, 6)
    .map(([, each]) => each);
};

const group = (title) => {
  const list = document.createElement('ul');
  list.className = 'search';
  const heading = document.createElement('h3');
  heading.textContent = title;
  Search.output.parentElement.append(heading, list);
  return list;
};

Search.query = (query) => {
  const [, terms, excluded, marked, objects] = Search._parseQuery(query);
  const wanted = plain(query.trim());
  const results = Search._performSearch(query, terms, excluded, marked, objects).reverse();
  const looked = [['Claims', named('claim', wanted)], ['Terms', named('term', wanted)]];
  const pages = results.filter(([page, , anchor]) => !page.startsWith(API) && !anchor.startsWith('#term-'));
  const members = results.filter(([page]) => page.startsWith(API));
  let count = pages.length + members.length;
  for (const [title, rows] of looked) {
    if (!rows.length) continue;
    count += rows.length;
    const list = group(title);
    for (const { name, says, href } of rows) {
      const item = list.appendChild(document.createElement('li'));
      const link = item.appendChild(document.createElement('a'));
      link.href = href;
      link.textContent = name;
      item.appendChild(document.createElement('p')).textContent = says;
    }
  }
  for (const [title, rows] of [['Chapters', pages], ['The helper package', members]]) {
    if (!rows.length) continue;
    Search.output = group(title);
    for (const row of rows) _displayItem(row, terms, marked);
  }
  document.querySelector('#search-results > ul.search:empty')?.remove();
  _finishSearch(count);
};
