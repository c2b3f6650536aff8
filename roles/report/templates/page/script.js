// The page says everything without this script; it adds the figures of one second under the pointer, and opens all for print.
'use strict';
const series = JSON.parse(document.getElementById('series').textContent);
const number = new Intl.NumberFormat('en', {maximumFractionDigits: 1});
const time = ms => ms === null ? '-' : ms >= 1000 ? `${number.format(ms / 1000)} s` : `${number.format(ms)} ms`;

function nearest(times, wanted) {
  return times.reduce((best, t, i) => Math.abs(t - wanted) < Math.abs(times[best] - wanted) ? i : best, 0);
}
function say(data, i) {
  const parts = [`${number.format(data.t_s[i])} s`, `${number.format(data.users[i])} users`,
    `${number.format(data.requests_per_s[i])} requests/s`,
    `p50 ${time(data.p50_ms[i])}, p95 ${time(data.p95_ms[i])}, p99 ${time(data.p99_ms[i])}`];
  if (data.failures_per_s[i]) parts.push(`${number.format(data.failures_per_s[i])} failures/s`);
  return parts.join(' · ');
}
document.querySelectorAll('article').forEach((article, stage) => {
  const data = series[stage];
  const cursors = article.querySelectorAll('.cursor');
  const readout = article.querySelector('.readout');
  if (!data.t_s.length) return;
  const show = (svg, event) => {
    const box = svg.getBoundingClientRect();
    const {width, left, right} = svg.dataset;
    const share = ((event.clientX - box.left) / box.width * width - left) / (right - left);
    const end = data.t_s[data.t_s.length - 1];
    const i = nearest(data.t_s, Math.min(Math.max(share, 0), 1) * end);
    const x = Number(left) + data.t_s[i] / end * (right - left);
    cursors.forEach(line => { line.setAttribute('x1', x); line.setAttribute('x2', x); line.style.visibility = 'visible'; });
    readout.textContent = say(data, i);
  };
  article.querySelectorAll('svg').forEach(svg => svg.addEventListener('pointermove', event => show(svg, event)));
  article.addEventListener('pointerleave', () => {
    cursors.forEach(line => { line.style.visibility = 'hidden'; });
    readout.textContent = '';
  });
});
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(element => { element.open = true; }));
