// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { LOG_PREFIX, WITNESS_PREFIX } from '#core/api/log.ts'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import { isAmpereError } from '#core/errors.ts'
import { formatVerifierKey, parseVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { MAX_POLICY_BYTES, parsePolicy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { refuse } from '../program/refuse.ts'
import { readInput } from '../terminal/files.ts'
import { fetchText } from './fetch-text.ts'

/** Keys of one log or of one witness: all have its name. */
export interface PublishedKeys {
  readonly name: string
  /** Null where it was not said: logs need none. */
  readonly url: string | null
  readonly keys: readonly LogKey[]
}

/** What an operator hands over to others. */
export interface HandedOver {
  readonly log: PublishedKeys | null
  readonly witness: PublishedKeys | null
}

/** Discovery answers have about 10 kB. */
const MAX_DISCOVERY_BYTES = 64 * 1024
const MAX_KEYS = 8
const published = v.object({
  name: v.string(),
  url: v.pipe(v.string(), v.url()),
  keys: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(MAX_KEYS)),
})
const discovery = v.object({ log: published, witness: published })

/**
 * The keys that a home publishes at /.well-known/ampere. It must be at the host that names the keys; that it is whose
 * it says, only its operator can confirm.
 * @throws AmpereError UPSTREAM_FAILED
 */
export async function fetchKeys(fetch: Fetch, url: string): Promise<HandedOver> {
  const { origin, host } = new URL(url)
  try {
    const { status, text } = await fetchText(fetch, `${origin}/.well-known/ampere`, MAX_DISCOVERY_BYTES)
    if (status !== 200) throw refuse('UPSTREAM_FAILED', `it answered ${status}`)
    const parsed = v.safeParse(discovery, jsonOf(text))
    if (!parsed.success) throw refuse('UPSTREAM_FAILED', 'it says nothing of a log and a witness')
    return {
      log: namedBy(parsed.output.log, `${host}${LOG_PREFIX}`, `${origin}${LOG_PREFIX}`),
      witness: namedBy(parsed.output.witness, `${host}${WITNESS_PREFIX}`, `${origin}${WITNESS_PREFIX}`),
    }
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    const next = 'ask its operator for a file with its keys: --keys FILE'
    throw refuse(
      'UPSTREAM_FAILED',
      `${origin} is no home whose keys can be used: ${cause.message}`,
      next,
      cause,
    )
  }
}

/**
 * The keys in a file as `ampere witness status --keys` prints it: lines of a policy.
 * @throws AmpereError CONFIGURATION, and as `readInput`
 */
export function readKeysFile(file: string): HandedOver {
  const text = new TextDecoder().decode(readInput(file, MAX_POLICY_BYTES, 'it is no list of keys'))
  try {
    const { logs, witnesses } = parsePolicy(/^quorum\b/m.test(text) ? text : `${text}\nquorum none\n`)
    return { log: oneOf(logs), witness: oneOf(witnesses) }
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    const next = 'its operator writes it with: npx ampere witness status --keys'
    throw refuse('CONFIGURATION', `${file}: ${cause.message}`, next, cause)
  }
}

/** Keys that were given one by one. @throws AmpereError KEY_MALFORMED, LOG_MALFORMED, UNSUPPORTED */
export function givenKeys(texts: readonly string[], url: string | null): PublishedKeys {
  const found = oneOf(texts.map((text) => ({ key: parseVerifierKey(text), url })))
  if (!found) throw refuse('LOG_MALFORMED', 'no key is given')
  return found
}

/**
 * What two operators read to each other: 128 bits of the SHA-256 of the verifier keys, each with a newline, in the order
 * of their text.
 */
export function fingerprintOf(keys: readonly LogKey[]): string {
  const lines = keys.map((key) => `${formatVerifierKey(key)}\n`).toSorted((a, b) => (a < b ? -1 : 1))
  return (toHex(sha256(utf8(lines.join(''))).subarray(0, 16)).match(/.{4}/g) ?? []).join(' ')
}

/** Lines of a policy for another operator. */
export function linesOf({ log, witness }: HandedOver): string[] {
  const url = witness?.url ?? ''
  const short = witness?.name.replace(/\/witness$/, '') ?? ''
  return [
    ...(log?.keys ?? []).map((key) => `log ${formatVerifierKey(key)} ${log?.url ?? ''}`.trimEnd()),
    ...(witness?.keys ?? []).map((key, i) => `witness ${short}-${i + 1} ${formatVerifierKey(key)} ${url}`),
  ]
}

function namedBy(
  { name, url, keys }: v.InferOutput<typeof published>,
  wanted: string,
  at: string,
): PublishedKeys {
  const parsed = givenKeys(keys, url)
  if (name === wanted && parsed.name === wanted && url === at) return parsed
  throw refuse('UPSTREAM_FAILED', 'it names its keys after another host')
}

function oneOf(
  items: readonly { readonly key: LogKey; readonly url: string | null }[],
): PublishedKeys | null {
  const [first] = items
  if (!first) return null
  if (items.some(({ key, url }) => key.name !== first.key.name || url !== first.url))
    throw refuse('CONFIGURATION', 'the keys are not all of one name and one URL')
  return { name: first.key.name, url: first.url, keys: items.map(({ key }) => key) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
