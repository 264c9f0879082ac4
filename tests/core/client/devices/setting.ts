// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { deviceKeys, sheetKeys, type DeviceKeys } from '#core/client/devices/keys.ts'
import { afterLoss, withController, withSheet } from '#core/client/devices/lists.ts'
import { parseProposal, type Proposal } from '#core/client/devices/proposal.ts'
import { approveProposal, makeProposed, proposeLists, proposeRecovery } from '#core/client/devices/propose.ts'
import { entry, HOME } from '#tests/fault/each-call.ts'
import { makeSigner, memorySeen, type TestDeployment } from '#tests/deployment.ts'

export const HOUR = 3_600_000
export const soon = ({ clock }: TestDeployment) => toTimestamp(clock.now + HOUR)
const passed = (proposal: Proposal) => parseProposal(JSON.parse(JSON.stringify(proposal)))
export const texts = async (connection: Connection, record: ChainId) =>
  (await connection.read(record)).opened.map(({ content }) => new TextDecoder().decode(content))

async function newDevice({ random }: TestDeployment): Promise<DeviceKeys> {
  return deviceKeys(await makeSigner(random), random(32))
}

export function as(keys: DeviceKeys, beside: Connection): Connection {
  return connect({ ...beside.ports, identity: keys.identity, seen: memorySeen() })
}

export async function settingOf(world: TestDeployment) {
  const desk = world.connect('hospital-a')
  const { record } = await createRecord(desk, HOME, ['general', 'genetic'])
  await desk.append(record, [entry('before')])
  const [phone, next] = [await newDevice(world), await newDevice(world)]
  const sheet = await sheetKeys(world.random(32))
  const instance = world.institution('hospital-a').instance
  return { world, desk, record, phone, next, sheet, instance }
}
type Setting = Awaited<ReturnType<typeof settingOf>>

/** The desk proposes, the device approves, the desk makes it. */
export async function claim({ world, desk, record, phone, instance }: Setting) {
  const drafted = await proposeLists(
    desk,
    record,
    (lists) => withController(lists, phone.member),
    soon(world),
  )
  if (!drafted) return
  const vouched = await approveProposal(drafted.proposal, [instance])
  await makeProposed(desk, passed(await approveProposal(passed(vouched), [phone.signer])), drafted.draft)
}

/** The phone proposes, the desk vouches, the phone makes it. */
export async function addSheet({ world, desk, record, phone, sheet, instance }: Setting) {
  const device = as(phone, desk)
  const drafted = await proposeLists(device, record, (lists) => withSheet(lists, sheet.member), soon(world))
  if (!drafted) return
  const own = await approveProposal(drafted.proposal, [phone.signer, sheet.signer])
  await makeProposed(device, passed(await approveProposal(passed(own), [instance])), drafted.draft)
}

/** Sheet and new device ask, the custodian vouches and sends it. */
export async function askedBy({ world, desk, record, phone, next, sheet, instance }: Setting) {
  const { proposal, draft } = await proposeRecovery(
    as(sheet, desk),
    record,
    (lists) => afterLoss(lists, [phone.member.kid], next.member),
    soon(world),
  )
  const own = await approveProposal(proposal, [sheet.signer, next.signer])
  return { own, draft, whole: passed(await approveProposal(passed(own), [instance])) }
}
