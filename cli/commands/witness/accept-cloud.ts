// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { isSameKey } from '#core/log/note/key.ts'
import { targetOf } from '../../cloud/target.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { noneSuch, refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'
import { readAccepted, writeAccepted } from '../../witness/accepted.ts'
import { checkConfirmed, confirmKeys, type KeyOptions } from '../../witness/confirm-keys.ts'
import { fingerprintOf, type PublishedKeys } from '../../witness/published-keys.ts'

/** Lets the witness of a home in a cloud cosign another home's log, once its functions are told so. */
export async function acceptInCloud(
  call: Call<CloudOption & KeyOptions>,
  { log, isFetched }: { readonly log: PublishedKeys; readonly isFetched: boolean },
): Promise<number> {
  const { options, screen } = call
  const { folder, origin, effective, next } = targetOf(call)
  if (log.name === logOriginOf(origin))
    throw refuse('CONFIGURATION', 'that is the log of this very home, and nobody witnesses for oneself')
  const known = readAccepted(folder).find((each) => each.origin === log.name)?.keys ?? []
  const isKnown =
    known.length === log.keys.length && log.keys.every((key) => known.some((other) => isSameKey(key, other)))
  checkConfirmed(options.confirm, log.keys)
  if (!isKnown) {
    if (known.length > 0) screen.say('It is cosigned here under other keys; from then on only under these:')
    if (isFetched || known.length > 0) await confirmKeys(screen, options, log)
    // Somebody may have changed the list while it was asked.
    const others = readAccepted(folder).filter((each) => each.origin !== log.name)
    writeAccepted(folder, [...others, { origin: log.name, keys: log.keys }])
  }
  const json = { ok: true, changed: !isKnown, log: log.name, fingerprint: fingerprintOf(log.keys) }
  screen.print({ ...json, effective }, [
    isKnown
      ? `${plain(log.name)} is among what is cosigned already. Nothing was changed.`
      : `${plain(log.name)} is among what this home's witness cosigns. ${next}`,
  ])
  return EXIT.ok
}

/** Has the witness of a home in a cloud cosign a log no longer, once its functions are told so. */
export async function stopInCloud(call: Call<CloudOption>, origin: string): Promise<number> {
  const { folder, effective, next } = targetOf(call)
  const all = readAccepted(folder)
  const known = all.map((log) => log.origin)
  if (!known.includes(origin))
    throw noneSuch(origin, 'is not cosigned here', known, 'npx ampere witness list --cloud')
  writeAccepted(
    folder,
    all.filter((log) => log.origin !== origin),
  )
  call.screen.print({ ok: true, changed: true, log: origin, fingerprint: null, effective }, [
    `${plain(origin)} is not among what is cosigned any more. ${next}`,
    'What was cosigned is kept: it cannot begin anew.',
  ])
  return EXIT.ok
}
