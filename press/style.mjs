// One sheet for the whole site: reads {css, words} as JSON, drops the rules that no page can match, minifies, writes CSS.
// The words are everything that stands in a tag or a script of the site, so a class that a script adds is kept.
import { readFileSync } from 'node:fs';
import { PurgeCSS } from 'purgecss';
import { transform } from 'lightningcss';

const { css, words } = JSON.parse(readFileSync(0, 'utf8'));
const [kept] = await new PurgeCSS().purge({
  css: [{ raw: css }],
  content: [{ raw: words.join(' '), extension: 'txt' }],
  defaultExtractor: (content) => content.split(' '),
});
process.stdout.write(transform({ filename: 'book.css', code: Buffer.from(kept.css), minify: true, errorRecovery: true }).code);
