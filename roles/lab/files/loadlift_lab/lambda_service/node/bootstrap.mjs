// Runs a Node.js function: asks the Lambda Runtime API for events and gives them to the handler, one at a time.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
import { existsSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const EXTENSIONS = [".js", ".mjs", ".cjs"];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId = "";

function ask(method, place, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const request = http.request(`${API}/${place}`, { method, agent, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts).toString() }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

function runtimeError(type, message) {
  return Object.assign(new Error(message), { name: type });
}

function described(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

// As Lambda does: each line of console.* bears the time, the request and the level.
function patchConsole() {
  const levels = { log: "INFO", info: "INFO", debug: "DEBUG", trace: "TRACE", warn: "WARN", error: "ERROR" };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...values) => {
      const text = format(...values).replaceAll("\n", "\r");
      process.stdout.write(`${new Date().toISOString()}\t${requestId || "undefined"}\t${level}\t${text}\n`);
    };
  }
}

async function loadHandler(name) {
  const dot = path.basename(name).indexOf(".");
  if (dot < 1) throw runtimeError("Runtime.MalformedHandlerName", `Bad handler '${name}'`);
  const base = path.resolve(path.dirname(name), path.basename(name).slice(0, dot));
  const file = EXTENSIONS.map((extension) => base + extension).find((candidate) => existsSync(candidate));
  if (!file) throw runtimeError("Runtime.ImportModuleError", `Error: Cannot find module '${path.basename(base)}'`);
  const handler = exported(await loadModule(file), path.basename(name).slice(dot + 1).split("."));
  if (handler === undefined) throw runtimeError("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw runtimeError("Runtime.HandlerNotFound", `${name} is not a function`);
  return handler;
}

async function loadModule(file) {
  try {
    return await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
    const missing = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code);
    throw missing ? runtimeError("Runtime.ImportModuleError", `Error: ${error.message}`) : error;
  }
}

function exported(module, names) {
  const find = (from) => names.reduce((value, name) => value?.[name], from);
  return find(module) ?? find(module.default); // `default` is module.exports of CommonJS
}

function contextOf(headers, settle) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    clientContext: client ? JSON.parse(client) : undefined,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    done: settle,
    fail: (error) => settle(error),
    succeed: (result) => settle(null, result),
  };
}

// An async handler answers by its promise, another by its callback or by the context.
function call(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const settle = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    const promised = handler(event, contextOf(headers, settle), settle);
    if (typeof promised?.then === "function") promised.then(resolve, reject);
  });
}

async function serve(handler) {
  const { headers, body } = await ask("GET", "invocation/next");
  requestId = headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  try {
    const result = await call(handler, JSON.parse(body), headers);
    await ask("POST", `invocation/${requestId}/response`, JSON.stringify(result) ?? "null");
  } catch (error) {
    await fail(`invocation/${requestId}/error`, "Invoke Error", error);
  }
}

async function fail(place, what, error) {
  const told = described(error);
  console.error(`${what} \t${JSON.stringify(told)}`);
  await ask("POST", place, JSON.stringify(told));
}

// As in Lambda, what nobody catches ends the process, after the runtime has told of it.
async function die(name, error) {
  const type = `Runtime.${name}`;
  const place = requestId ? `invocation/${requestId}/error` : "init/error";
  await fail(place, name, runtimeError(type, String(error?.stack ?? error))).catch(() => {});
  process.exit(128);
}

patchConsole();
process.on("uncaughtException", (error) => die("UnhandledException", error));
process.on("unhandledRejection", (error) => die("UnhandledPromiseRejection", error));
let handler;
try {
  handler = await loadHandler(process.env._HANDLER);
} catch (error) {
  await fail("init/error", "Uncaught Exception", error);
  process.exit(1);
}
for (;;) await serve(handler);
