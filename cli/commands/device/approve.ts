// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Kid } from '#core/bytes/ids.ts'
import type { ParsedBlock } from '#core/block/open-block.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { openClaim, type Claim } from '#core/client/devices/claim.ts'
import type { Connection } from '#core/client/connect.ts'
import { withController, type Lists } from '#core/client/devices/lists.ts'
import type { Draft, Proposal } from '#core/client/devices/proposal.ts'
import {
  approveProposal,
  bothChains,
  lackingIn,
  makeProposed,
  proposeLists,
  type Lacking,
} from '#core/client/devices/propose.ts'
import { isAmpereError } from '#core/errors.ts'
import { devicesOf } from '#core/chain/state.ts'
import { shortId, type ActingOptions, type Session } from '../../deployment/session.ts'
import { newDevicesIn, proposalLines, resealedIn } from '../../device/described.ts'
import { readDraft, readExchanged, removeDraft, saveDraft, writeExchanged } from '../../device/exchange.ts'
import { connectTo, type OpenDevice } from '../../device/folder.ts'
import { isAboutRecord } from '../../device/own-chains.ts'
import { asDesk, withDesk, withParty, type Party } from '../../device/party.ts'
import { compareFingerprints, type VouchOptions } from '../../device/vouch.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT } from '../../terminal/screen.ts'
import { listed } from '../../terminal/words.ts'
import { outFile } from './claim.ts'
import { expiryOf, LACKS, type WithinOptions } from './proposing.ts'

interface ApproveOptions extends ActingOptions, GraveOptions, VouchOptions, WithinOptions {
  readonly out?: string
}
type ApproveCall = Call<ApproveOptions>

/** Does what this party can with a file of another: approves it, and makes what has all its approvals. */
export async function approve(call: ApproveCall): Promise<number> {
  const content = readExchanged(call.args[0] ?? '')
  if (content.type === 'ampere-invitation')
    throw refuse(
      'REQUEST_MALFORMED',
      'this is an invitation',
      'npx ampere device claim INVITATION --out FILE (on the device)',
    )
  if (content.type === 'ampere-claim') return approveClaim(call, await openClaim(content.claim))
  const [step] = content.steps
  return withParty(call, step?.chain ?? '', async (party) => {
    checkHome(party, content)
    const draft = readDraft(party.folder, content)
    return draft ? finish(call, party, content, draft) : sign(call, party, content)
  })
}

/** At the desk: the patient's device is to control the record. It still has to agree to what exactly. */
async function approveClaim(call: ApproveCall, claim: Claim): Promise<number> {
  const { chain, member, code, registry } = claim
  const file = outFile(call.options)
  return withDesk(call, async (desk) => {
    if (registry !== desk.settings.registry) throw otherHome()
    await compareFingerprints(call.screen, call.options, [member.kid])
    await redeem(desk, claim, code)
    const party = asDesk(desk, chain)
    const expires = expiryOf(call)
    const drafted = await proposeLists(
      party.connection,
      chain,
      (lists) => withController(lists, member),
      expires,
    )
    if (!drafted) {
      call.screen.print({ ok: true, chain, made: [], file: null, lacks: null }, [
        'The device controls the record already; nothing was changed.',
      ])
      return EXIT.ok
    }
    const vouched = await approveProposal(drafted.proposal, [party.signer])
    saveDraft(party.folder, vouched, drafted.draft)
    return passOn(call, party, vouched, file)
  })
}

/** @throws AmpereError NOT_FOUND, for a code that is unknown, another device's, another record's, or expired: alike */
async function redeem({ open }: Session, { member, chain }: Claim, code: string): Promise<void> {
  const redeemed = await open.bridge.ports.store.deviceCodes.redeem(code, member.kid)
  if (redeemed.chain !== chain)
    throw refuse(
      'NOT_FOUND',
      'no such code, or it was used or has expired',
      'npx ampere device invite RECORD --out FILE',
    )
}

/** Adds this party's approval, once its person agreed; a recovery that has enough is sent at once. */
async function sign(call: ApproveCall, party: Party, proposal: Proposal): Promise<number> {
  const isRecovery = proposal.steps.every(({ type }) => type === 'recover')
  if (timestampMs(proposal.expires) <= call.screen.terminal.now())
    throw refuse('PRECONDITION_FAILED', 'the time in which it could be approved has passed', 'begin again')
  // It is known only afterwards whether the file is needed: not where the approval was the last one.
  const file = isRecovery && call.options.out === undefined ? null : outFile(call.options)
  await agree(call, party, proposal)
  const approved = await approveProposal(proposal, [party.signer])
  if (!isRecovery) return passOn(call, party, approved, file ?? '')
  const lacks = await lackingAsSeen(party, approved)
  if (lacks === null) return make(call, party, approved, { v: 1, type: 'ampere-draft', keys: [] })
  if (file === null)
    throw refuse(
      'PRECONDITION_FAILED',
      `not yet: ${LACKS[lacks]}`,
      'npx ampere recover approve FILE --out ANSWER',
    )
  return passOn(call, party, approved, file)
}

/** A device that the record does not list yet is told nothing by the home, and cannot send anything. */
async function lackingAsSeen({ connection }: Party, proposal: Proposal): Promise<Lacking | null> {
  try {
    return await lackingIn(connection, proposal)
  } catch (error) {
    if (isAmpereError(error, 'UNAUTHORIZED') || isAmpereError(error, 'NOT_FOUND')) return 'threshold'
    throw error
  }
}

/** The person at a desk types the fingerprint of each new device, which is not shown; without one, and at a device, yes is said to what is shown. */
async function agree(call: ApproveCall, party: Party, proposal: Proposal): Promise<void> {
  const added = party.desk ? await addedBy(party, proposal) : []
  await checkResealed(party, proposal)
  if (party.device) await checkChains(party, party.device, proposal)
  for (const line of proposalLines(proposal, new Set(added))) call.screen.say(line)
  if (added.length > 0) return compareFingerprints(call.screen, call.options, added)
  checkOwn(party, proposal)
  const name = shortId(party.chain)
  await confirmGrave(call.screen, { ...call.options, dryRun: false }, { says: [], name })
}

/** New devices, of a proposal that is about the record and its access chain. @throws AmpereError MISDIRECTED */
async function addedBy({ connection, chain }: Party, proposal: Proposal): Promise<readonly Kid[]> {
  const states = (await bothChains(connection, chain)).map(({ link }) => link.state)
  const known = [chain, states[0]?.access]
  if (!proposal.steps.every((step) => known.includes(step.chain))) throw otherHome()
  return newDevicesIn(proposal, states)
}

/** @throws AmpereError MISDIRECTED for a step that is about another of this device's records */
async function checkChains(
  { connection, chain }: Party,
  { folder, settings, keys }: OpenDevice,
  proposal: Proposal,
): Promise<void> {
  const others = () =>
    settings.records.map((record) => ({
      chain: record.chain,
      read: () => connectTo(folder, record, keys.identity).replica(record.chain),
    }))
  const own = { chain, read: () => connection.replica(chain) }
  if (!(await isAboutRecord(proposal, own, others))) throw otherHome()
}

/** @throws AmpereError FORBIDDEN for a proposal that lists this device with another sealing key */
function checkOwn({ device }: Party, { steps }: Proposal): void {
  const own = device?.keys.member
  const said = steps.flatMap(({ body }) => [
    ...devicesOf(body.controllers),
    ...devicesOf(body.recovery ?? null),
  ])
  if (said.some(({ kid, sealing }) => kid === own?.kid && sealing !== own.sealing))
    throw refuse(
      'FORBIDDEN',
      'it lists this device with a key that is not its own, so that nothing was approved',
    )
}

/**
 * Whoever proposes must not put a sealing key of its own beside a device or sheet that is listed: it would read under that name.
 * @throws AmpereError FORBIDDEN
 */
async function checkResealed({ connection, chain }: Party, proposal: Proposal): Promise<void> {
  const before = await listsShown(connection, chain)
  if (resealedIn(proposal, before).length > 0)
    throw refuse(
      'FORBIDDEN',
      'it lists a device or sheet with another key than the record does, so that nothing was approved',
    )
}

/** None where the record does not list this device yet, which the home tells nothing. */
async function listsShown(connection: Connection, chain: ChainId): Promise<readonly Lists[]> {
  try {
    return (await bothChains(connection, chain)).map(({ link }) => link.state)
  } catch (error) {
    if (isAmpereError(error, 'UNAUTHORIZED', 'NOT_FOUND')) return []
    throw error
  }
}

/** Makes what this party proposed, if everybody approved it whom it takes. */
async function finish(call: ApproveCall, party: Party, proposal: Proposal, draft: Draft): Promise<number> {
  const lacks = await lackingIn(party.connection, proposal)
  if (lacks !== null)
    throw refuse(
      'PRECONDITION_FAILED',
      `not yet: ${LACKS[lacks]}`,
      'give the file to whoever has to approve it: npx ampere device approve FILE --out ANSWER',
    )
  return make(call, party, proposal, draft)
}

async function make(call: ApproveCall, party: Party, proposal: Proposal, draft: Draft): Promise<number> {
  const blocks = await makeProposed(party.connection, proposal, draft)
  removeDraft(party.folder, proposal)
  const [step] = proposal.steps
  const from = step?.type === 'recover' ? step.body.notBefore : null
  const made = blocks.map(({ chain, block }) => ({ chain, block: block.height }))
  call.screen.print(
    { ok: true, chain: party.chain, made, notBefore: from, file: null, lacks: null },
    madeLines(party, blocks, from),
  )
  return EXIT.ok
}

function madeLines({ chain }: Party, blocks: readonly ParsedBlock[], from: string | null): string[] {
  const where = listed(
    blocks.map(
      ({ chain: of, block }) => `${of === chain ? 'block' : 'of its access chain block'} ${block.height}`,
    ),
  )
  return [
    from === null ? `Done (${where}).` : `Recovery requested (${where}).`,
    from === null
      ? `Next      npx ampere device list ${shortId(chain)}`
      : `Next      npx ampere recover status ${shortId(chain)}, and after 72 hours npx ampere recover complete ${shortId(chain)}`,
  ]
}

function passOn(call: ApproveCall, party: Party, proposal: Proposal, file: string): number {
  writeExchanged(file, proposal)
  call.screen.print({ ok: true, chain: party.chain, made: [], notBefore: null, file, lacks: 'approvals' }, [
    `Approved. The answer is in ${file}: give it back.`,
    'There     npx ampere device approve FILE, with --out ANSWER where others have to approve after it',
  ])
  return EXIT.ok
}

function checkHome({ connection }: Party, { registry, origin }: Proposal): void {
  const { pins } = connection.ports
  if (pins.registry !== registry || pins.origin !== origin) throw otherHome()
}

function otherHome(): Error {
  return refuse(
    'MISDIRECTED',
    'it is about a record of another home, or of another chain, so that nothing was approved',
  )
}
