// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { PAIRING_MS } from '#core/bridge/store/pairing.ts'
import { signClaim } from '#core/client/devices/claim.ts'
import { fingerprintOf } from '#core/client/devices/keys.ts'
import { chainArgument, shortId, type ActingOptions } from '../../deployment/session.ts'
import { checkNew, readInvitation, writeExchanged } from '../../device/exchange.ts'
import { rememberRecord } from '../../device/folder.ts'
import { deviceHere, withDesk } from '../../device/party.ts'
import { pinnedPolicyText } from '../../open/policy.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { localTime } from '../../terminal/words.ts'

interface OutOptions extends ActingOptions {
  readonly out?: string
}

/** The file to write. @throws CommanderError (usage), AmpereError ALREADY_EXISTS */
export function outFile({ out }: { readonly out?: string }): string {
  if (out === undefined) throw usage('--out is missing: the file to write for the other party')
  checkNew(out)
  return out
}

/** At the desk: a code, once, for one device, and a file that tells it where the record is. */
export async function inviteDevice(call: Call<OutOptions>): Promise<number> {
  const file = outFile(call.options)
  return withDesk(call, async (desk) => {
    const { open, folder, settings } = desk
    const chain = await chainArgument(desk, call.args[0] ?? '')
    const { state } = (await open.connection.replica(chain)).link
    const { id } = open.institution
    if (
      !state.controllers.members.some((member) => member.kind === 'institution' && member.institution === id)
    )
      throw refuse('FORBIDDEN', `${id} does not control this record, so that it can invite nobody`)
    const { registry, origin } = settings
    const policy = pinnedPolicyText(folder, settings)
    writeExchanged(file, { v: 1, type: 'ampere-invitation', registry, origin, chain, policy })
    const code = await open.bridge.ports.store.deviceCodes.issue(chain)
    const expires = toTimestamp(call.screen.terminal.now() + PAIRING_MS)
    call.screen.print({ ok: true, chain, code, expires, file }, [
      `${code}    for one device, until ${localTime(expires)}`,
      `The invitation is in ${file}. Give it to the patient, and tell the code apart from it.`,
      'There     npx ampere device claim INVITATION --out FILE',
    ])
    return EXIT.ok
  })
}

/** On the device: a file in which it asks to control the record, signed with its own key. */
export async function claimRecord(
  call: Call<Common & { readonly out?: string; readonly code?: string }>,
): Promise<number> {
  const { screen, options } = call
  const invitation = readInvitation(call.args[0] ?? '')
  const file = outFile(options)
  const device = await deviceHere(call)
  const code =
    options.code ?? (await screen.ask({ message: 'Code from the institution', flag: '--code CODE' }))
  const { registry, chain } = invitation
  const time = toTimestamp(screen.terminal.now())
  const claim = await signClaim(device.keys, { registry, chain, code, time })
  rememberRecord(device, invitation)
  writeExchanged(file, { v: 1, type: 'ampere-claim', claim })
  const fingerprint = fingerprintOf(device.keys.member.kid)
  screen.print({ ok: true, chain, fingerprint, file }, [
    `The request is in ${file}. Bring it to the institution, and show this fingerprint there:`,
    `  ${fingerprint}`,
    `There     npx ampere device approve FILE --out ANSWER (record ${shortId(chain)})`,
  ])
  return EXIT.ok
}
