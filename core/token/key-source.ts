// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../bytes/encoding.ts'
import { AmpereError } from '../errors.ts'
import { ask, type Answer } from '../order/ask.ts'
import { coalesce } from '../order/coalesce.ts'
import type { Deadline } from '../order/deadline.ts'
import type { Fetch, Now } from '../ports/keys.ts'
import { readKeySet, type ClientKey } from './client-keys.ts'

/** The keys that clients publish at the URLs they registered. */
export interface KeySource {
  /**
   * The keys at a URL, from memory as long as their Cache-Control says. A set without `kid` is asked for again at most
   * once a minute, for a client that has a new key.
   * @throws AmpereError UPSTREAM_FAILED, KEY_MALFORMED
   */
  keysAt(url: string, kid: string): Promise<readonly ClientKey[]>
}

/** How long a set is kept whose answer says nothing, and at most, in seconds. */
export const DEFAULT_AGE_SECONDS = 300
export const MAX_AGE_SECONDS = 3600
/** How soon a set that lacks a key is asked for again, in ms: anybody can name a key that is not there. */
export const AGAIN_MS = 60_000
const ANSWER_MS = 5000
const MAX_SET_BYTES = 256 * 1024
/** Sets kept; clients are registered by people. */
const MAX_SETS = 1024

interface Kept {
  readonly keys: readonly ClientKey[]
  readonly askedMs: number
  readonly untilMs: number
}

/** `url` is one that somebody registered: it is asked by https, without following anybody elsewhere. */
export function createKeySource(ports: {
  readonly fetch: Fetch
  readonly now: Now
  readonly deadline: Deadline
}): KeySource {
  const { now } = ports
  const kept = new Map<string, Kept>()
  const asking = new Map<string, () => Promise<Kept>>()
  const fetchOnce = (url: string): Promise<Kept> => {
    // However many ask for one set, one request is under way and one waits.
    const run = asking.get(url) ?? coalesce(() => fetchKeys(ports, url))
    if (!asking.has(url) && asking.size >= MAX_SETS) {
      asking.clear()
      kept.clear()
    }
    asking.set(url, run)
    return run()
  }
  return {
    keysAt: async (url, kid) => {
      const known = kept.get(url)
      const nowMs = now()
      if (known !== undefined && known.askedMs <= nowMs) {
        // Also of a set that must not be kept: who names a key that is not there decides nothing with it.
        const has = known.keys.some((key) => key.kid === kid)
        if (has ? known.untilMs > nowMs : nowMs - known.askedMs < AGAIN_MS) return known.keys
      }
      const fetched = await fetchOnce(url)
      kept.set(url, fetched)
      return fetched.keys
    },
  }
}

async function fetchKeys(
  { fetch, now, deadline }: Parameters<typeof createKeySource>[0],
  url: string,
): Promise<Kept> {
  const askedMs = now()
  const answer = await ask(
    fetch,
    { url, init: { headers: { accept: 'application/json' } } },
    {
      who: 'the key set of the client',
      first: deadline(ANSWER_MS),
      limits: () => ({ maxBytes: MAX_SET_BYTES, beyond: 'fail' }),
    },
  )
  if (!answer.ok)
    throw new AmpereError('UPSTREAM_FAILED', `the key set of the client is answered with ${answer.status}`)
  const { keys } = readKeySet(jsonIn(answer))
  return { keys, askedMs, untilMs: askedMs + ageSeconds(answer.headers.get('cache-control')) * 1000 }
}

function jsonIn({ bytes }: Answer): unknown {
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown
  } catch (cause) {
    throw new AmpereError('KEY_MALFORMED', 'the key set of the client is not JSON', { cause })
  }
}

/** How long an answer may be kept (RFC 9111 section 5.2.2); what is not understood is not kept. */
function ageSeconds(cacheControl: string | null): number {
  if (cacheControl === null) return DEFAULT_AGE_SECONDS
  const directives = cacheControl.toLowerCase().split(',')
  const names = directives.map((directive) => directive.trim())
  if (names.some((name) => /^no-(store|cache)\b/.test(name))) return 0
  const age = names.find((name) => name.startsWith('max-age='))
  if (age === undefined) return DEFAULT_AGE_SECONDS
  const seconds = /^max-age="?(\d{1,10})"?$/.exec(age)?.[1]
  return Math.min(Number(seconds ?? 0), MAX_AGE_SECONDS)
}
