// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '#core/bytes/ids.ts'
import { fingerprintOf } from '#core/client/devices/keys.ts'
import { refuse, usage } from '../program/refuse.ts'
import type { Screen } from '../terminal/screen.ts'

/** How fingerprints are given without being asked for them. */
export interface VouchOptions {
  readonly fingerprint?: readonly string[]
}

/**
 * Lets the person at the desk type what the device shows, for each device for which the institution would vouch. It is not shown here:
 * whoever only has to agree agrees.
 * @throws AmpereError FORBIDDEN for another one, CommanderError (usage) where there is nobody to ask
 */
export async function compareFingerprints(
  screen: Screen,
  { fingerprint = [] }: VouchOptions,
  devices: readonly Kid[],
): Promise<void> {
  const wanted = new Set(devices.map((kid) => bare(fingerprintOf(kid))))
  if (fingerprint.length > 0) {
    const given = new Set(fingerprint.map(bare))
    const isSame = given.size === wanted.size && [...given].every((one) => wanted.has(one))
    if (!isSame) throw differs()
    return
  }
  const left = new Set(wanted)
  while (left.size > 0) {
    const typed = bare(
      await screen.ask({
        message: 'Fingerprint that the device, or the sheet, shows',
        flag: '--fingerprint XXXX-XXXX-XXXX-XXXX',
      }),
    )
    if (typed.length !== 16) throw usage('a fingerprint has four groups of four characters')
    if (!left.delete(typed)) throw differs()
  }
}

function differs(): Error {
  return refuse(
    'FORBIDDEN',
    'the fingerprint is not that of the device which asks, so that nothing was approved: another device may have sent it',
    'look at the fingerprint on the device, and where it differs begin again: npx ampere device invite RECORD --out FILE',
  )
}

/** As people type it (Crockford's rules). */
function bare(text: string): string {
  const characters = text.toUpperCase().replaceAll(/[^0-9A-Z]/g, '')
  return characters.replaceAll('O', '0').replaceAll(/[IL]/g, '1')
}
