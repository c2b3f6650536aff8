"use strict";

const rows = document.getElementById("rows");
const status = document.getElementById("status");
const reload = document.getElementById("reload");
const pattern = document.getElementById("row");
const number = new Intl.NumberFormat("en");

/** Titles read "brand and part, variant, detail": the part before the first comma stands out. */
function splitTitle(title) {
  const comma = title.indexOf(", ");
  return comma < 0 ? [title, ""] : [title.slice(0, comma), title.slice(comma + 2)];
}

function makeRow(product, rank, most) {
  const row = pattern.content.cloneNode(true);
  const [title, detail] = splitTitle(product.product_title);
  row.querySelector(".rank").textContent = rank;
  row.querySelector(".title").textContent = title;
  row.querySelector(".detail").textContent = detail;
  row.querySelector(".count").textContent = number.format(product.total_reviews);
  row.querySelector(".meter > span").style.width = `${(100 * product.total_reviews) / most}%`;
  row.querySelector(".stars > span").style.width = `${20 * product.average_rating}%`;
  row.querySelector(".score").textContent = `${product.average_rating.toFixed(2)} of 5`;
  return row;
}

function say(sentence) {
  const row = rows.insertRow();
  row.insertCell().textContent = sentence;
  row.firstElementChild.colSpan = 4;
  rows.dataset.empty = "";
}

function show(products) {
  rows.replaceChildren();
  delete rows.dataset.empty;
  if (!products.length) say("There is no review yet.");
  const most = Math.max(...products.map((product) => product.total_reviews));
  rows.append(...products.map((product, index) => makeRow(product, index + 1, most)));
}

async function load() {
  const begin = performance.now();
  reload.disabled = true;
  status.textContent = "Loading the list …";
  try {
    const answer = await fetch("/data", { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const { products } = await answer.json();
    const seconds = ((performance.now() - begin) / 1000).toFixed(2);
    show(products);
    status.textContent = `${products.length} products from the ${answer.headers.get("X-Data-Source")} in ${seconds} s`;
  } catch (error) {
    rows.replaceChildren();
    say("The list cannot be shown now.");
    status.textContent = `The list did not load: ${error.message}.`;
  } finally {
    reload.disabled = false;
  }
}

reload.addEventListener("click", load);
load();
