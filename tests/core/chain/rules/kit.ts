// SPDX-License-Identifier: Apache-2.0
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { signApproval } from '#core/block/approval.ts'
import type { Controller, Grant } from '#core/block/block.ts'
import type { Link } from '#core/chain/state.ts'
import type { Signer } from '#core/ports/keys.ts'
import {
  deployed,
  instanceRecords,
  makeSigner,
  testDeployment,
  type TestDeployment,
} from '#tests/deployment.ts'
import {
  control,
  demandOf,
  digest,
  follow,
  genesis,
  grantAll,
  record,
  seal,
  NEW_HOME,
  type Rules,
} from '../small-chain.ts'

/** Who may act in these tests, and one chain: genesis, first control, one record block. */
export interface Kit extends Rules {
  readonly world: TestDeployment
  /** Two instances of the controlling institution. */
  readonly a: Signer
  readonly a2: Signer
  /** An instance of it without any capability. */
  readonly plain: Signer
  /** May append to the first compartment only. */
  readonly b: Signer
  /** An instance of an institution that was removed from the registry. */
  readonly gone: Signer
  readonly device: Signer
  readonly member: (name: string) => Controller
  readonly deviceMember: DeviceMember
  /** The key of a printed sheet, and that of the device that comes after the lost one. */
  readonly sheet: Signer
  readonly sheetMember: DeviceMember
  readonly newDevice: Signer
  readonly newDeviceMember: DeviceMember
  readonly grantOf: (name: string, given?: Partial<Grant>) => Grant
  readonly start: Link
  readonly first: Link
  readonly head: Link
}

type DeviceMember = Extract<Controller, { kind: 'device' }>

/** A deployment of an institution that was removed from the registry. */
export const LOST_HOME = { deployment: asDeploymentId('home-3'), origin: 'http://lost.test' }

/** When the instance expires that may nothing; all other blocks are earlier. */
export const PLAIN_ENDS = '2027-08-01T08:00:00.000Z' as Timestamp

/** A block that is to be judged, and by what. */
export interface Attempt {
  readonly parent: Link | null
  readonly compact: string
  readonly chain?: string
}

/** Founds a registry of three, of which one is removed again, with a deployment of each, and a chain of the first. */
export async function makeKit(seed: number): Promise<Kit> {
  const world = await testDeployment(['hospital-a', 'hospital-b', 'hospital-c'], { seed })
  const { random } = world
  const of = (name: string) => world.institution(name)
  const [plain, device] = [await makeSigner(random), await makeSigner(random)]
  const { instance, key } = instanceRecords('hospital-a-3', of('hospital-a').id, plain, [])
  const history = await world.home.registry.refresh()
  const rules = { history, random }
  const [a, a2, b] = [of('hospital-a').instance, of('hospital-a').second, of('hospital-b').instance]
  const start = await started(rules, a, { kind: 'institution', institution: of('hospital-a').id })
  await world.change('hospital-a', [{ act: 'enrol', instance: { ...instance, expires: PLAIN_ENDS }, key }])
  await world.home.registry.refresh()
  const grants = ['hospital-a', 'hospital-b', 'hospital-c'].map((name) => {
    const all = grantAll(start.state, of(name).id)
    return name === 'hospital-b' ? { ...all, compartments: all.compartments.slice(0, 1) } : all
  })
  const opening = { grants: { put: grants, remove: [] }, packages: digest(random) }
  const first = await next(rules, start, a, await control(rules, start, [a], opening))
  for (const [name, home] of [
    ['hospital-b', NEW_HOME],
    ['hospital-c', LOST_HOME],
  ] as const) {
    const head = await makeSigner(random)
    await world.change(name, [deployed(of(name).id, home, head)])
  }
  await world.change(
    'hospital-a',
    [{ act: 'remove', institution: of('hospital-c').id }],
    ['hospital-a', 'hospital-b'],
  )
  await world.home.registry.refresh()
  const [sheet, newDevice] = [await makeSigner(random), await makeSigner(random)]
  const memberOf = ({ kid, publicKey: jwk }: Signer): DeviceMember => ({
    kind: 'device',
    kid,
    jwk,
    sealing: toBase64url(random(1216)),
  })
  return {
    ...rules,
    world,
    a,
    a2,
    plain,
    b,
    gone: of('hospital-c').instance,
    device,
    member: (name) => ({ kind: 'institution', institution: of(name).id }),
    deviceMember: memberOf(device),
    sheet,
    sheetMember: memberOf(sheet),
    newDevice,
    newDeviceMember: memberOf(newDevice),
    grantOf: (name, given = {}) => ({ ...grantAll(start.state, of(name).id), ...given }),
    start,
    first,
    head: await next(rules, first, a, record(rules, first)),
  }
}

/** Seals a draft and follows it. */
export async function next(
  rules: Rules,
  parent: Link | null,
  author: Signer,
  draft: Parameters<typeof seal>[2],
): Promise<Link> {
  return follow(rules, parent, await seal(rules, parent, draft, author))
}

/** The same chain after the patient's device became its second controller, of whom one suffices. */
export async function claimed(kit: Kit, threshold = 1): Promise<Link> {
  const controllers = { threshold, members: [kit.member('hospital-a'), kit.deviceMember] }
  const given = { controllers, packages: digest(kit.random) }
  return next(kit, kit.head, kit.a, await control(kit, kit.head, [kit.a, kit.device], given))
}

/**
 * The same chain claimed by the patient's device, beside the institution where any one suffices; two of the device, a printed sheet and
 * the institution may recover it.
 */
export async function recoverable(kit: Kit): Promise<Link> {
  const parent = await claimed(kit)
  const recovery = { threshold: 2, members: [kit.deviceMember, kit.sheetMember, kit.member('hospital-a')] }
  const given = { recovery, packages: digest(kit.random) }
  return next(kit, parent, kit.a, await control(kit, parent, [kit.a, kit.sheet], given))
}

/** An approval of what `body` does on `parent`, spoiled by `given`. */
export function spoiledApproval(
  parent: Link,
  type: 'control' | 'erase' | 'rehome' | 'recover',
  body: object,
  signer: Signer,
  given: Partial<Parameters<typeof signApproval>[0]>,
): Promise<string> {
  return signApproval({ ...demandOf(parent, type, body), ...given }, signer)
}

async function started(rules: Rules, author: Signer, controller: Controller): Promise<Link> {
  return next(rules, null, author, await genesis(rules, [controller], [author]))
}
