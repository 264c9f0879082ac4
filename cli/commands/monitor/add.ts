// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { deploymentOf } from '../../deployment/session.ts'
import { parsedPolicy, writeWatched } from '../../monitor/watched.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

interface AddOptions extends Common {
  readonly key?: readonly string[]
  readonly policy?: string
}

/** Lets this home monitor a log: from the next round on it copies and verifies its entries and answers lookups. */
export async function addMonitored(call: Call<AddOptions>): Promise<number> {
  const { folder } = deploymentOf(call)
  const { url, origin } = logAt(call.args[0] ?? '')
  const { key = [], policy: file } = call.options
  if ((key.length === 0) === (file === undefined))
    throw usage('give the keys of the log (--key), or --policy')
  const policy = file === undefined ? policyOf(key) : parsedPolicy(file, 'see https://c2sp.org/tlog-policy')
  const keys = policy.logs.filter(({ key: each }) => each.name === origin)
  if (keys.length === 0) {
    const message = `no key is of the log ${origin}: the name of a key is the URL of its log without the scheme`
    throw refuse('CONFIGURATION', message, 'ask whoever keeps the log for its verifier keys')
  }
  writeWatched(folder, { origin, url, policy })
  const quorum = policy.quorum ?? 'none'
  call.screen.print({ ok: true, origin, url, keys: keys.length, quorum }, [
    `${origin} is monitored, by ${keys.length} of its keys, quorum ${quorum}.`,
    'A server that runs begins within seconds; npx ampere monitor status says how far it is.',
  ])
  return EXIT.ok
}

/** @throws CommanderError (usage) */
function logAt(text: string): { readonly url: string; readonly origin: string } {
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
  if (!isHttp || /[\s?#]/.test(text))
    throw usage('the URL of a log is expected, for example https://home.example/log')
  const url = text.replace(/\/+$/, '')
  return { url, origin: url.replace(/^https?:\/\//, '') }
}

/** @throws AmpereError CONFIGURATION */
function policyOf(keys: readonly string[]): Policy {
  try {
    const logs = keys.map((text) => ({ key: parseVerifierKey(text), url: null }))
    // Written and read again: the rules for policies hold for keys that are given one by one too.
    return parsePolicy(formatPolicy({ logs, witnesses: [], groups: [], quorum: null }))
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw new AmpereError('CONFIGURATION', `--key: ${cause.message}`, { cause })
  }
}
