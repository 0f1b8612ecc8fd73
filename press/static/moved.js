// An old address leads on: to where its section stands now, or the module that had its own part of this page.
const place = decodeURIComponent(location.hash.slice(1));
const slug = (name) => name.replace(/[._]/g, '-').toLowerCase();
const moved = document.querySelector('.bn-moved');
const section = place && document.getElementById(place)?.closest('.bn-moved li')?.querySelector('a');
if (section) location.replace(section.href);
else if (moved?.dataset.rest) location.replace(moved.dataset.rest);
else if (place) {
  for (const { href, textContent: name } of document.querySelectorAll('.bn-modules a')) {
    if (place === `module-${name}` || place === name || place.startsWith(`${name}.`)) location.replace(`${href.split('#')[0]}#${place}`);
    else if ([slug(name), slug(name.split('.').pop())].includes(slug(place))) location.replace(href.split('#')[0]);
  }
}
