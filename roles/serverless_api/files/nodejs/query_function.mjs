// QueryFunction: answers /data from DynamoDB, with the JSON that the web application answers from its database.
//
// Runs in AWS Lambda behind an Application Load Balancer. Environment: TABLE_NAME, the DynamoDB table.
// Event and answer: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html

import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";

const PRODUCTS = 25;
const METHODS = ["GET", "HEAD"];
const TABLE = process.env.TABLE_NAME;

// Two attempts end before the function's timeout, so that the client gets an answer and the log the reason.
const dynamodb = new DynamoDBClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
});

/** Return the load balancer's answer to `event`. */
export async function handler(event) {
  const method = event.httpMethod;
  if (!METHODS.includes(method)) {
    return answer(event, 405, errorBody(`${method} is not allowed here`), { Allow: METHODS.join(", ") });
  }
  try {
    const products = topProducts(await readItems(TABLE));
    return answer(event, 200, `{"products":[${products.map(productJson).join(",")}]}`, { "X-Data-Source": "dynamodb" });
  } catch (error) {
    console.error(`Cannot read table ${TABLE}`, error);
    return answer(event, 500, errorBody("The products cannot be read"));
  }
}

/** Return every item of `table`, in no order. */
async function readItems(table) {
  const items = [];
  for await (const page of paginateScan({ client: dynamodb }, { TableName: table })) items.push(...page.Items);
  return items;
}

/** Return the products with most reviews, most first; equal ones by identifier. */
function topProducts(items) {
  return items
    .map((item) => ({
      product_id: item.product_id.S,
      product_title: item.product_title.S,
      total_reviews: Number(item.total_reviews.N),
      average_rating: Number(item.average_rating.N),
    }))
    .sort((a, b) => b.total_reviews - a.total_reviews || (a.product_id < b.product_id ? -1 : 1))
    .slice(0, PRODUCTS);
}

// The very bytes that the web application writes: a float has a fraction, the text is ASCII.
function productJson(product) {
  const rating = product.average_rating;
  const text = Number.isInteger(rating) ? rating.toFixed(1) : String(rating);
  const json = JSON.stringify({ ...product, average_rating: null }).replace(/null}$/, `${text}}`);
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function errorBody(message) {
  return JSON.stringify({ error: message });
}

/** Return an answer with the kind of headers that the event's target group works with. */
function answer(event, status, body, extra = {}) {
  const headers = { "Content-Type": "application/json", ...extra };
  const shaped = event.multiValueHeaders
    ? { multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }
    : { headers };
  return { statusCode: status, body: event.httpMethod === "HEAD" ? "" : body, isBase64Encoded: false, ...shaped };
}
