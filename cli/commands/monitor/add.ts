// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { LOG_PREFIX, logOriginOf } from '#core/api/log.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { isSameKey, type LogKey } from '#core/log/note/key.ts'
import { formatPolicy, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { beginAnew } from '#core/server/monitor/begin-anew.ts'
import type { WatchedLog } from '#core/server/monitor/needs.ts'
import { targetOf } from '../../cloud/target.ts'
import { parsedPolicy, readWatched, writeWatched } from '../../monitor/watched.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted } from '../../terminal/words.ts'
import { confirmKeys, type KeyOptions } from '../../witness/confirm-keys.ts'
import {
  fetchKeys,
  fingerprintOf,
  givenKeys,
  readKeysFile,
  type PublishedKeys,
} from '../../witness/published-keys.ts'

interface AddOptions extends CloudOption, KeyOptions {
  readonly policy?: string
}

/** Lets this home monitor a log: from the next round on it copies and verifies its entries and answers lookups. */
export async function addMonitored(call: Call<AddOptions>): Promise<number> {
  const { options, screen } = call
  const target = targetOf(call)
  const { folder } = target
  const { url, origin } = logAt(call.args[0] ?? '')
  if (origin === logOriginOf(target.origin))
    throw refuse('CONFIGURATION', 'that is the log of this very home, and nobody monitors for oneself')
  const policy = await policyFor(options, url)
  const keys = policy.logs.map(({ key }) => key).filter(({ name }) => name === origin)
  if (keys.length === 0) {
    const message = `no key is of the log ${origin}: the name of a key is the URL of its log without the scheme`
    throw refuse('CONFIGURATION', message, 'ask whoever keeps the log for its verifier keys')
  }
  const known = readWatched(folder).find((each) => each.origin === origin)
  // Keys alone say nothing of witnesses: those that somebody named for the same keys stay.
  const isKept = known !== undefined && options.policy === undefined && isSame(known, url, keys)
  const wanted = isKept ? known : { origin, url, policy }
  if (isFetched(options) && !isKept) await confirmKeys(screen, options, { name: origin, url, keys })
  const isChanged = known === undefined || formatPolicy(known.policy) !== formatPolicy(named(wanted))
  // Before it is in the folder: nobody looks at it yet.
  const isAnew = known === undefined && (await beganAnew(folder, origin))
  if (isChanged) writeWatched(folder, wanted)
  const inCloud = target.effective === 'next-deploy'
  const quorum = wanted.policy.quorum ?? 'none'
  const json = {
    changed: isChanged,
    origin,
    url,
    keys: keys.length,
    quorum,
    fingerprint: fingerprintOf(keys),
    anew: isAnew,
  }
  const added = [
    `${origin} is monitored, by ${counted(keys.length, 'key')} of it, quorum ${quorum}.`,
    ...(quorum === 'none'
      ? ['  Nobody is told when a tree was seen: --policy FILE says whose cosignatures it should have.']
      : []),
    ...(isAnew
      ? ['  It had stopped at what speaks against the log, and begins anew. What was found before is kept.']
      : []),
    inCloud
      ? target.next
      : 'A server that runs begins within seconds; npx ampere monitor status says how far it is.',
  ]
  screen.print(
    { ok: true, ...json, effective: inCloud ? target.effective : 'now' },
    isChanged ? added : [`${origin} is monitored already. Nothing was changed.`],
  )
  return EXIT.ok
}

/** What a monitor stopped at stays in its stores when it is removed; a home that was never made has none. */
async function beganAnew(folder: string, origin: string): Promise<boolean> {
  const home = join(folder, 'home')
  if (!existsSync(join(home, 'ampere.db'))) return false
  const platform = openLocal({ folder: home, passphrase: null, beside: true })
  try {
    return await beginAnew(platform.table('monitored'), platform.now(), origin)
  } finally {
    await platform.close()
  }
}

/** A log by its URL, or by that of its home. @throws CommanderError (usage) */
function logAt(text: string): { readonly url: string; readonly origin: string } {
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
  if (!isHttp || /[\s?#]/.test(text))
    throw usage('the URL of a log is expected, for example https://home.example/log')
  const given = text.replace(/\/+$/, '')
  const url = given === new URL(given).origin ? `${given}${LOG_PREFIX}` : given
  return { url, origin: url.replace(/^https?:\/\//, '') }
}

const isFetched = ({ key, keys, policy }: AddOptions) =>
  key === undefined && keys === undefined && policy === undefined

/** @throws AmpereError CONFIGURATION, UPSTREAM_FAILED; CommanderError (usage) unless it is said once where keys come from */
async function policyFor(options: AddOptions, url: string): Promise<Policy> {
  const { key, keys, policy } = options
  if ([key, keys, policy].filter((source) => source !== undefined).length > 1)
    throw usage('give one of --key, --keys and --policy, or none: then the keys are fetched')
  if (policy !== undefined) return parsedPolicy(policy, 'see https://c2sp.org/tlog-policy')
  if (key !== undefined) return policyOf(keysIn(key))
  const handed = keys === undefined ? await fetchKeys((request) => fetch(request), url) : readKeysFile(keys)
  if (!handed.log) throw refuse('CONFIGURATION', 'there are no keys of a log in that file')
  return policyOf(handed.log)
}

/** @throws AmpereError CONFIGURATION */
function keysIn(texts: readonly string[]): PublishedKeys {
  try {
    return givenKeys(texts, null)
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw new AmpereError('CONFIGURATION', `--key: ${cause.message}`, { cause })
  }
}

function policyOf({ keys }: PublishedKeys): Policy {
  const logs = keys.map((key) => ({ key, url: null }))
  // Written and read again: the rules for policies hold for keys that are given one by one too.
  return parsePolicy(formatPolicy({ logs, witnesses: [], groups: [], quorum: null }))
}

function isSame({ url: known, policy }: WatchedLog, url: string, keys: readonly LogKey[]): boolean {
  const others = policy.logs.map(({ key }) => key)
  return (
    known === url &&
    others.length === keys.length &&
    keys.every((key) => others.some((other) => isSameKey(key, other)))
  )
}

/** The policy as it is kept: of that log alone, with its URL. */
function named({ origin, url, policy }: WatchedLog): Policy {
  return {
    ...policy,
    logs: policy.logs.filter(({ key }) => key.name === origin).map(({ key }) => ({ key, url })),
  }
}
