// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Kid } from '#core/bytes/ids.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import type { Invitation } from '#core/client/devices/claim.ts'
import { fingerprintOf, isFingerprintOf, sheetKeys, type DeviceKeys } from '#core/client/devices/keys.ts'
import { afterLoss, type Lists } from '#core/client/devices/lists.ts'
import { bothChains, proposeRecovery } from '#core/client/devices/propose.ts'
import { recoveriesOf, settleRecovery } from '#core/client/devices/settle.ts'
import type { Connection } from '#core/client/connect.ts'
import { devicesOf } from '#core/chain/state.ts'
import { isAmpereError } from '#core/errors.ts'
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import { readInvitation } from '../../device/exchange.ts'
import { connectTo, rememberRecord, type OpenDevice } from '../../device/folder.ts'
import { deviceHere, withParty, type Party } from '../../device/party.ts'
import { askSheet } from '../../device/sheet/words.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { listed, localTime } from '../../terminal/words.ts'
import { outFile } from './claim.ts'
import { expiryOf, LACKS, proposeHere, type WithinOptions } from './proposing.ts'

interface RequestOptions extends ActingOptions, WithinOptions {
  readonly out?: string
  readonly sheet?: string
  readonly lost?: readonly string[]
}

/** On the new device: asks, with the sheet, that it takes the place of the one that is lost. */
export async function requestRecord(call: Call<RequestOptions>): Promise<number> {
  const { screen, options } = call
  const file = outFile(options)
  const [given] = call.args
  const named = given === undefined ? null : readInvitation(given)
  const device = await deviceHere(call)
  const { seed, invitation: printed } = await askSheet(screen, options.sheet)
  const invitation = named ?? printed
  if (!invitation) throw usage('an invitation is missing: the words do not say where the record is')
  const sheet = await sheetKeys(seed)
  const connection = connectTo(device.folder, invitation, sheet.identity)
  const { chain } = invitation
  const { state } = (await asSheet(connection, invitation)).link
  const lost = lostIn(state, options.lost)
  const next = (lists: Lists) => afterLoss(lists, lost, device.keys.member)
  const drafted = await proposeRecovery(connection, chain, next, expiryOf(call))
  rememberRecord(device, named ?? known(device, invitation))
  const party: Party = { chain, connection, signer: sheet.signer, folder: device.folder, desk: null, device }
  const { made, lacks } = await proposeHere(party, drafted, [sheet.signer, device.keys.signer], file)
  const notBefore =
    drafted.proposal.steps[0]?.type === 'recover' ? drafted.proposal.steps[0].body.notBefore : ''
  const fingerprint = fingerprintOf(device.keys.member.kid)
  screen.print({ ok: true, chain, fingerprint, made, lacks, notBefore, file: lacks === null ? null : file }, [
    ...(lacks === null
      ? [`Recovery requested (block ${made[0]?.block ?? ''}).`]
      : [
          `Not yet: ${LACKS[lacks]}. Bring ${file} to them, and show this fingerprint:`,
          `  ${fingerprint}`,
          'There     npx ampere recover approve FILE',
        ]),
    `From ${localTime(notBefore)} on: npx ampere recover complete ${shortId(chain)}`,
  ])
  return EXIT.ok
}

/** What it knew of the record stands: the sheet does not say by what its home is judged. */
function known({ settings }: OpenDevice, invitation: Invitation): Invitation {
  return settings.records.find(({ chain }) => chain === invitation.chain) ?? invitation
}

/** The record as a sheet sees it. @throws AmpereError UNAUTHORIZED for a sheet that the record does not list */
async function asSheet(connection: Connection, { chain }: Invitation) {
  try {
    return await connection.replica(chain)
  } catch (error) {
    if (!isAmpereError(error, 'UNAUTHORIZED') && !isAmpereError(error, 'NOT_FOUND')) throw error
    const message = 'the sheet is not listed for this record: it is of another one, or was replaced'
    throw refuse(
      'UNAUTHORIZED',
      message,
      'look for the newest sheet, and ask the institution for an invitation to the right record',
      error,
    )
  }
}

/** Whom the record lists by these fingerprints; without any the one device that controls it. @throws CommanderError (usage) */
function lostIn({ controllers, recovery }: Lists, given: readonly string[] | undefined): Kid[] {
  const listedHere = [...new Set([...devicesOf(controllers), ...devicesOf(recovery)].map(({ kid }) => kid))]
  const controlling = devicesOf(controllers).map(({ kid }) => kid)
  if (given === undefined) {
    if (controlling.length <= 1) return controlling
    throw usage(`--lost is missing: which one is lost of ${listed(controlling.map(fingerprintOf))}?`)
  }
  return given.flatMap((start) => {
    const found = listedHere.filter((kid) => isFingerprintOf(kid, start))
    if (found.length !== 1)
      throw usage(
        `--lost: ${start.slice(0, 20)} names ${found.length} devices of ${listed(listedHere.map(fingerprintOf))}`,
      )
    return found
  })
}

interface SettleOptions extends ActingOptions {
  readonly sheet?: string
  readonly block?: number
}

/** Completes a recovery once its delay has passed: on a device by the sheet, else by the institution. */
export function completeRecord(call: Call<SettleOptions>): Promise<number> {
  return settle(call, 'complete')
}

/** Cancels a recovery, as one of those who control the record. */
export function cancelRecord(call: Call<SettleOptions>): Promise<number> {
  return settle(call, 'cancel')
}

async function settle(call: Call<SettleOptions>, act: 'complete' | 'cancel'): Promise<number> {
  const { screen, options } = call
  return withParty(call, call.args[0] ?? '', async (party) => {
    const { chain, device } = party
    const bySheet = device !== null && act === 'complete'
    const connection = bySheet ? await sheetOf(call, party, device) : party.connection
    if (act === 'complete') await refuseEarly(call, connection, chain)
    const blocks = await settleRecovery(connection, chain, act, options.block ?? null)
    const made = blocks.map((one) => ({ chain: one.chain, block: one.block.height }))
    const done =
      act === 'complete'
        ? `Completed (block ${made[0]?.block ?? ''}): the keys are new.`
        : `Cancelled (block ${made[0]?.block ?? ''}).`
    screen.print({ ok: true, chain, act, made }, [
      blocks.length === 0 ? 'No recovery waits; nothing was changed.' : done,
      ...(blocks.length > 0 && act === 'complete'
        ? [
            `Next      npx ampere device read ${shortId(chain)}, and print a new sheet if the old one was seen`,
          ]
        : []),
    ])
    return EXIT.ok
  })
}

/** @throws AmpereError PRECONDITION_FAILED saying from when on, while the delay of all that waits has not passed */
async function refuseEarly({ screen }: Call, connection: Connection, chain: ChainId): Promise<void> {
  const waiting = (await bothChains(connection, chain)).flatMap(recoveriesOf)
  const [first] = waiting.map(({ notBefore }) => notBefore).toSorted()
  if (first !== undefined && timestampMs(first) > screen.terminal.now())
    throw refuse(
      'PRECONDITION_FAILED',
      `it can be completed from ${localTime(first)} on, and cancelled until then`,
      `npx ampere recover status ${shortId(chain)}`,
    )
}

async function sheetOf(call: Call<SettleOptions>, { chain }: Party, device: OpenDevice): Promise<Connection> {
  const invitation = device.settings.records.find((record) => record.chain === chain)
  const { seed } = await askSheet(call.screen, call.options.sheet)
  const sheet: DeviceKeys = await sheetKeys(seed)
  if (!invitation) throw refuse('NOT_FOUND', 'no such record')
  const connection = connectTo(device.folder, invitation, sheet.identity)
  await asSheet(connection, invitation)
  return connection
}
