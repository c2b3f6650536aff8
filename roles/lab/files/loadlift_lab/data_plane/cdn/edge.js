// What the edges compute: how long CloudFront keeps an answer, and who may share it.
// Written for njs 0.7 (Debian 12): no shared memory, so what requests share lies in nginx's caches and files.
import fs from 'fs';
import crypto from 'crypto';

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html: the two lists of errors.
const ERRORS_KEPT = [404, 405, 414, 500, 501, 502, 503, 504];
const ERRORS_KEPT_WHEN_TOLD = [400, 403, 412, 415];
const ERROR_SECONDS = 10;
// Who waits for another's answer looks each half second: the answer must outlive its own time by that.
const WAITERS_SECONDS = 2;
// How long requests for an object that may not be shared do without waiting for one another.
const ALONE_SECONDS = 10;
// Headers that nginx would take from an answer to the one after X-Accel-Redirect.
const ANSWERED_AGAIN = [
    'Cache-Control', 'Content-Disposition', 'Content-Encoding', 'ETag', 'Expires', 'Last-Modified', 'Set-Cookie',
];
const CACHE_FILE_VERSION = 5;  // of nginx 1.11.10 and later

function directives(cacheControl) {
    const found = {};
    (cacheControl || '').split(',').forEach((part) => {
        const pair = part.trim().toLowerCase().split('=');
        if (pair[0]) {
            found[pair[0].trim()] = pair.length > 1 ? pair[1].trim().replace(/"/g, '') : '';
        }
    });
    return found;
}

function seconds(text) {
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function toldByCacheControl(told) {
    const shared = seconds(told['s-maxage']);
    return shared !== undefined ? shared : seconds(told['max-age']);
}

function toldByExpires(expires, now) {
    if (!expires) {
        return undefined;
    }
    const time = Date.parse(expires) / 1000;
    return isNaN(time) ? 0 : Math.max(0, Math.round(time - now));
}

function errorLifetime(answer, told, policy) {
    const byHeader = toldByCacheControl(told);
    const kept = ERRORS_KEPT.includes(answer.status)
        || (ERRORS_KEPT_WHEN_TOLD.includes(answer.status) && byHeader !== undefined);
    if (!kept) {
        return 0;
    }
    const configured = policy.errors[answer.status];
    const byExpires = toldByExpires(answer.expires, answer.now);
    const most = Math.min(byHeader !== undefined ? byHeader : byExpires || 0, policy.max);
    return Math.max(configured === undefined ? ERROR_SECONDS : configured, most);
}

function forbidden(told) {
    return ['no-store', 'no-cache', 'private'].some((word) => word in told);
}

// How many seconds CloudFront keeps an answer. `answer`: status, cacheControl, expires, vary, now (s since 1970);
// `policy`: min, default, max (s), errors (status -> s).
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html, the table of minimum TTLs.
function lifetime(answer, policy) {
    const told = directives(answer.cacheControl);
    if (answer.status >= 400) {
        return errorLifetime(answer, told, policy);
    }
    if (forbidden(told) || answer.vary === '*') {
        return policy.min;
    }
    const byHeader = toldByCacheControl(told);
    const asked = byHeader !== undefined ? byHeader : toldByExpires(answer.expires, answer.now);
    return asked === undefined
        ? Math.max(policy.min, policy.default)
        : Math.max(policy.min, Math.min(asked, policy.max));
}

// Whether an answer that is kept for no time may lie there, to be shown again when the origin says that it holds.
function revalidates(answer, policy) {
    const told = directives(answer.cacheControl);
    return answer.status < 400 && policy.max > 0 && !('no-store' in told || 'private' in told);
}

// nginx counts whole seconds and keeps through the last one: this is within half a second of the truth.
function lastSecond(now, kept) {
    return Math.round(now + kept) - 1;
}

function answerOf(r) {
    return {
        status: r.status,
        cacheControl: r.headersOut['Cache-Control'],
        expires: r.headersOut['Expires'],
        vary: r.headersOut['Vary'],
        now: Date.now() / 1000,
    };
}

// Header filter of the hop to the origin: tells the edge, and those who collapse requests, how long to keep an answer.
function keep(r) {
    const answer = answerOf(r);
    const policy = JSON.parse(r.variables.cdn_lifetimes);
    const kept = lifetime(answer, policy);
    const last = kept > 0 ? lastSecond(answer.now, kept) : Math.floor(answer.now) - 1;
    const edge = kept > 0 || revalidates(answer, policy) ? `@${last}` : '0';
    r.headersOut['X-Lab-Since'] = String(Math.floor(answer.now));
    r.headersOut['X-Lab-Expires'] = edge;
    if (r.headersIn['X-Lab-Direct']) {
        r.headersOut['X-Accel-Expires'] = edge;
    } else if (kept > 0) {
        r.headersOut['X-Accel-Expires'] = `@${last + WAITERS_SECONDS}`;
    } else {
        r.headersOut['X-Lab-Alone'] = '1';
        r.headersOut['X-Accel-Expires'] = `@${Math.floor(answer.now) + ALONE_SECONDS}`;
    }
}

// The key under which requests collapse. nginx lets only one request fetch what is not there, but any number what is
// there and too old: so what is too old is removed first.
function collapseKey(r) {
    const parts = ['X-Lab-Key', 'If-None-Match', 'If-Modified-Since'].map((name) => r.headersIn[name] || '');
    const key = md5(parts.join('\n'));
    removeWhenOld(`${r.variables.cdn_collapse_directory}/${md5(key)}`);
    return key;
}

function md5(text) {
    return crypto.createHash('md5').update(text).digest('hex');
}

function removeWhenOld(file) {
    try {
        if (lastSecondOf(file) < Math.floor(Date.now() / 1000)) {
            fs.unlinkSync(file);
        }
    } catch (error) {
        if (error.code !== 'ENOENT') {
            throw error;
        }
    }
}

// A cache file begins with its version and the last second in which nginx may use it (ngx_http_cache.h).
function lastSecondOf(file) {
    const handle = fs.openSync(file, 'r');
    try {
        const header = Buffer.alloc(16);
        fs.readSync(handle, header, 0, 16, 0);
        return header.readUInt32LE(0) === CACHE_FILE_VERSION ? header.readUInt32LE(8) - WAITERS_SECONDS : 0;
    } finally {
        fs.closeSync(handle);
    }
}

// Header filter of the hops that collapse: marks what one request got for another. What is private is shared with
// nobody: the edge is sent to the origin for it.
function share(r) {
    if (r.variables.upstream_cache_status === 'HIT') {
        r.headersOut['X-Lab-Shared'] = '1';
    }
    if (r.headersOut['X-Lab-Shared'] && r.headersOut['X-Lab-Alone']) {
        ANSWERED_AGAIN.forEach((name) => delete r.headersOut[name]);
        r.headersOut['X-Accel-Redirect'] = r.headersIn['X-Lab-Alone'];
    }
    if (r.variables.cdn_collapse_last) {
        r.headersOut['X-Accel-Expires'] = r.headersOut['X-Lab-Expires'];
    }
}

function matches(pattern, name) {
    const quoted = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
    return new RegExp(`^${quoted}$`).test(name);
}

// Of `pairs` (name=value), those whose name matches one of `patterns`, sorted by name.
function chosen(pairs, patterns) {
    return pairs.filter((pair) => pair && patterns.some((pattern) => matches(pattern, pair.split('=')[0]))).sort();
}

// The cookies that the behavior names: only they are forwarded and in the key.
function cookies(r) {
    const sent = (r.headersIn.Cookie || '').split(';').map((pair) => pair.trim());
    return chosen(sent, JSON.parse(r.variables.cdn_cookies)).join('; ');
}

// The query strings that the behavior has in its key.
function queryStrings(r) {
    return chosen((r.variables.args || '').split('&'), JSON.parse(r.variables.cdn_query_strings)).join('&');
}

// How old an answer from the cache is: the one thing that a hit needs of this script (0.008 ms).
function age(r) {
    return String(Math.max(0, Math.floor(Date.now() / 1000) - Number(r.variables.upstream_http_x_lab_since)));
}

// What the edge has counted: each log holds one byte a request.
function status(r) {
    const count = (name) => fs.statSync(`${r.variables.cdn_counters}/${name}`).size;
    const counted = (names) => names.split(' ').reduce((all, name) => Object.assign(all, {[name]: count(name)}), {});
    const results = counted('hits refresh_hits misses errors redirects');
    const body = Object.assign({
        edge: r.variables.cdn_edge,
        configuration: r.variables.cdn_configuration,
        requests: Object.keys(results).reduce((sum, name) => sum + results[name], 0),
    }, results, {
        by_status: counted('2xx 3xx 4xx 5xx 000'),
        origin_requests: count('origin_requests'),
        connections: {active: Number(r.variables.connections_active), idle: Number(r.variables.connections_waiting)},
    });
    r.headersOut['Content-Type'] = 'application/json';
    r.return(200, `${JSON.stringify(body)}\n`);
}

export default {age, collapseKey, cookies, keep, queryStrings, share, status};
