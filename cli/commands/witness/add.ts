// SPDX-License-Identifier: Apache-2.0
import { logOriginOf, witnessNameOf } from '#core/api/log.ts'
import { targetOf, type Target } from '../../cloud/target.ts'
import { withHome } from '../../deployment/session.ts'
import { readPolicyText, writePolicy } from '../../open/policy.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'
import { checkConfirmed, confirmKeys, type KeyOptions } from '../../witness/confirm-keys.ts'
import { ERASURE_NOTICE } from '../../witness/policy/erasure-notice.ts'
import { withWitness, type Extended } from '../../witness/policy/policy-text.ts'
import {
  fetchKeys,
  fingerprintOf,
  givenKeys,
  readKeysFile,
  type PublishedKeys,
} from '../../witness/published-keys.ts'
import { markIn } from '../../witness/same-machine.ts'

interface AddOptions extends CloudOption, KeyOptions {
  readonly quorum?: number
}

/** Lets another home's witness be asked for cosignatures: puts its keys into policy.txt. */
export async function addWitness(call: Call<AddOptions>): Promise<number> {
  const { options } = call
  const url = urlOf(call.args[0])
  checkSources(options, url)
  const found = await keysOf(options, url)
  if (options.cloud !== undefined) return addTo(call, found, targetOf(call))
  return withHome(call, NO_KEYS, async ({ settings, fetch: fetchHome }) => {
    checkOther(found, settings)
    const own = (await fetchKeys(fetchHome, settings.origin)).log
    return addTo(call, found, { ...targetOf(call), logKeys: own?.keys ?? [] })
  })
}

const NO_KEYS = () => []

async function addTo(call: Call<AddOptions>, found: Found, target: Target): Promise<number> {
  const { options, screen } = call
  const { witness, isFetched } = found
  const { folder, origin, logKeys } = target
  checkOther(found, target)
  const asked = { url: witness.url ?? '', keys: witness.keys }
  const extended = withWitness(readPolicyText(folder), logKeys, asked, options.quorum)
  checkConfirmed(options.confirm, witness.keys)
  if (extended.isChanged) {
    if (isFetched) await confirmKeys(screen, options, witness)
    // Somebody may have changed the file while it was asked.
    const again = withWitness(readPolicyText(folder), logKeys, asked, options.quorum)
    writePolicy(folder, origin, again.text)
  }
  print(call, witness, extended, target)
  return EXIT.ok
}

/** The keys of a witness, and whether they came over the network. */
interface Found {
  readonly witness: PublishedKeys
  readonly isFetched: boolean
}

function checkOther({ witness }: Found, { origin }: { readonly origin: string }): void {
  if (witness.name !== witnessNameOf(origin)) return
  throw refuse('CONFIGURATION', 'that is the witness of this very home, and nobody witnesses for oneself')
}

/** A URL of a home or of its witness; the witness answers below the home. @throws CommanderError (usage) */
export function urlOf(text: string | undefined): string | null {
  if (text === undefined) return null
  const url = URL.canParse(text) ? new URL(text) : null
  const isPlain = url !== null && url.username === '' && url.search === '' && url.hash === ''
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/$/, '')
  throw usage('a URL begins with https:// or http:// and has no user, query or fragment')
}

/** @throws CommanderError (usage) unless it is said once where the keys come from */
export function checkSources({ key, keys }: KeyOptions, url: string | null): void {
  if (key !== undefined && keys !== undefined) throw usage('give --key or --keys, not both')
  if (url === null && key === undefined && keys === undefined)
    throw usage('give the URL of the other home, or its keys: --keys FILE')
}

async function keysOf(options: AddOptions, url: string | null): Promise<Found> {
  if (options.key !== undefined) {
    if (url === null) throw usage('with --key give the URL of the witness as well')
    return { witness: givenKeys(options.key, url), isFetched: false }
  }
  const isFetched = options.keys === undefined
  const handed =
    options.keys === undefined
      ? await fetchKeys((request) => fetch(request), url ?? '')
      : readKeysFile(options.keys)
  const { witness } = handed
  if (!witness) throw refuse('CONFIGURATION', 'there are no keys of a witness in that file')
  const named = isFetched || url === null ? witness : { ...witness, url }
  if (named.url === null) throw usage('the file does not say where the witness is: give its URL as well')
  return { witness: named, isFetched }
}

function print(
  { screen }: Call,
  { name, url, keys }: PublishedKeys,
  { isChanged, quorum }: Extended,
  { origin, effective, next }: Target,
): void {
  const fingerprint = fingerprintOf(keys)
  const json = { ok: true, changed: isChanged, name, url, fingerprint, quorum, effective }
  const needs = `${quorum.need} of ${quorum.of} must cosign`
  const shown = `${plain(name)}${markIn(url)}`
  const inCloud = effective === 'next-deploy'
  const accepts = inCloud
    ? `ampere witness accept ${origin}`
    : 'ampere witness accept, with what the next command prints'
  screen.print(
    json,
    isChanged
      ? [
          `${shown} is in policy.txt; ${needs}. ${next}`,
          `Its operator has to let it cosign ${logOriginOf(origin)}: ${accepts}.`,
          ...ERASURE_NOTICE,
          ...(inCloud ? [] : ['Next: npx ampere witness status --keys']),
        ]
      : [`${shown} is in policy.txt already; ${needs}. Nothing was changed.`],
  )
}
