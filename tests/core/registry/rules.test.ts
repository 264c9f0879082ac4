// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { asDeploymentId, asInstanceId, asInstitutionId, type Kid } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { keyRecord } from '#core/registry/build.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { getRecord } from '#core/registry/state.ts'
import { activeInstanceOf, type RegistryView } from '#core/registry/snapshot.ts'
import type { Signer } from '#core/ports/keys.ts'
import { seededRandom } from '#tests/deployment.ts'
import {
  apply,
  approve,
  brokenRule,
  deploying,
  draftChange,
  draw,
  enrolment,
  found,
  makeMember,
  must,
  seal,
  START,
  type Founded,
  type Member,
} from './members.ts'

let world: Founded
let spare: Signer
let newcomer: Member

beforeAll(async () => {
  world = await found(['a', 'b'], seededRandom(21))
  spare = await draw(world.random)
  newcomer = await makeMember('new', world.random)
})

/** The block by which an author makes changes, with the approval of both members. */
async function block(changes: RegistryChange[], author: Signer, parent = world.link): Promise<string> {
  const approvals = ['a', 'b'].map((id) => approve(parent, changes, world.member(id).root))
  return seal(parent, draftChange(parent, changes, await Promise.all(approvals)), author)
}
const rule = async (changes: RegistryChange[], author = world.member('a').root, parent = world.link) =>
  brokenRule(parent, await block(changes, author, parent))
const after = async (changes: RegistryChange[], author = world.member('a').root, parent = world.link) =>
  apply(parent, await block(changes, author, parent))
const revoke = (kid: Kid, reason: 'retired' | 'suspended' | 'compromised' = 'retired'): RegistryChange => ({
  act: 'revoke',
  kid,
  reason,
  suspectFrom: null,
})
const viewOf = (link: RegistryLink): RegistryView => ({
  registry: link.place.registry,
  head: { height: link.place.height, id: link.place.id },
  get: (key) => getRecord(link.state, key),
})

describe('admission and removal', () => {
  it('admits a new institution with its keys, once', async () => {
    const admit: RegistryChange = { act: 'admit', institution: newcomer.own[0] }
    const link = await after([admit])
    expect(getRecord(link.state, `key/${newcomer.root.kid}`)).toEqual(newcomer.own[1])
    expect(getRecord(link.state, `key/${newcomer.recovery.kid}`)).toEqual(newcomer.own[2])
    expect(await rule([admit, admit])).toBe('admit')
    expect(await rule([{ act: 'admit', institution: world.member('b').own[0] }])).toBe('admit')
  })

  it('refuses an institution with a foreign key, one key twice, a false sealing key or no activity', async () => {
    const [record] = newcomer.own
    const admit = (given: Partial<typeof record>) =>
      rule([{ act: 'admit', institution: { ...record, ...given } }])
    expect(await admit({ root: world.member('b').root.publicKey })).toBe('kid-owner')
    expect(await admit({ root: world.head.publicKey })).toBe('kid-owner')
    expect(await admit({ recovery: record.root })).toBe('kid-owner')
    expect(await admit({ sealing: { ...record.sealing, kid: world.link.place.id } })).toBe('admit')
    expect(await admit({ status: 'removed' })).toBe('admit')
  })

  it('removes an institution once; it and its instances can then do nothing', async () => {
    const remove: RegistryChange = { act: 'remove', institution: asInstitutionId('b') }
    const approval = await approve(world.link, [remove], world.member('a').root)
    const link = await apply(
      world.link,
      await seal(world.link, draftChange(world.link, [remove], [approval]), world.member('a').root),
    )
    const { root, recovery, instance } = world.member('b')
    const enrol = enrolment('b', 'b-2', spare)
    for (const signer of [root, recovery]) {
      expect(await brokenRule(link, await seal(link, draftChange(link, [enrol]), signer))).toBe('author')
    }
    expect(activeInstanceOf(viewOf(world.link), instance.kid)?.instance.id).toBe('b-1')
    expect(activeInstanceOf(viewOf(link), instance.kid)).toBeNull()
    expect(await rule([{ act: 'remove', institution: asInstitutionId('none') }])).toBe('remove')
    const again = await approve(link, [remove], world.member('a').root)
    expect(
      await brokenRule(link, await seal(link, draftChange(link, [remove], [again]), world.member('a').root)),
    ).toBe('remove')
  })
})

describe('enrolment and revocation', () => {
  it('lets an institution enrol an instance and give it a new key', async () => {
    const first = await after([enrolment('a', 'a-2', spare)])
    expect(activeInstanceOf(viewOf(first), spare.kid)?.institution.id).toBe('a')
    const second = await draw(world.random)
    const renewed = await after([enrolment('a', 'a-2', second)], world.member('a').root, first)
    expect(activeInstanceOf(viewOf(renewed), second.kid)?.instance.id).toBe('a-2')
    expect(activeInstanceOf(viewOf(renewed), spare.kid)).toBeNull()
  })

  it("refuses another institution's instance, record or key", async () => {
    const enrol = enrolment('a', 'a-2', spare)
    expect(await rule([enrol], world.member('b').root)).toBe('enrol')
    expect(await rule([enrolment('a', 'b-1', spare)])).toBe('enrol')
    expect(await rule([{ ...enrol, key: enrolment('a', 'a-3', spare).key }])).toBe('enrol')
    expect(await rule([{ ...enrol, key: enrolment('b', 'a-2', spare).key }])).toBe('enrol')
    expect(await rule([{ ...enrol, key: { ...enrol.key, use: 'head' } }])).toBe('enrol')
    expect(await rule([{ ...enrol, key: { ...enrol.key, kid: newcomer.root.kid } }])).toBe('enrol')
    expect(await rule([{ ...enrol, instance: { ...enrol.instance, status: 'revoked' } }])).toBe('enrol')
    const revoked = { reason: 'retired' as const, suspectFrom: null, height: 1 }
    expect(await rule([{ ...enrol, key: { ...enrol.key, revoked } }])).toBe('enrol')
  })

  it('refuses an instance or deployment that names another key than the one it brings', async () => {
    const { kid } = newcomer.root
    const enrol = enrolment('a', 'a-2', spare)
    const deploy = deploying('a', 'home-2', 'http://two.test', spare)
    expect(await rule([{ ...enrol, instance: { ...enrol.instance, signing: kid } }])).toBe('enrol')
    expect(await rule([{ ...deploy, deployment: { ...deploy.deployment, kid } }])).toBe('deploy')
  })

  it('refuses a key under an id that is not its thumbprint, even where its owner names that id', async () => {
    const { kid } = newcomer.root
    const enrol = enrolment('a', 'a-2', spare)
    const instance = { ...enrol.instance, signing: kid }
    expect(await rule([{ ...enrol, instance, key: { ...enrol.key, kid } }])).toBe('enrol')
    const deploy = deploying('a', 'home-2', 'http://two.test', spare)
    const deployment = { ...deploy.deployment, kid }
    expect(await rule([{ ...deploy, deployment, key: { ...deploy.key, kid } }])).toBe('deploy')
  })

  it('gives a key to one owner for ever, also after it was revoked', async () => {
    const { instance, root } = world.member('b')
    expect(await rule([enrolment('a', 'a-2', instance)])).toBe('kid-owner')
    expect(await rule([enrolment('a', 'a-2', root)])).toBe('kid-owner')
    expect(await rule([enrolment('a', 'a-2', spare), enrolment('a', 'a-3', spare)])).toBe('kid-owner')
    const { kid } = world.member('a').instance
    const link = await after([revoke(kid, 'compromised')])
    expect(activeInstanceOf(viewOf(link), kid)).toBeNull()
    const again = enrolment('a', 'a-1', world.member('a').instance)
    expect(await rule([again], world.member('a').root, link)).toBe('kid-owner')
  })

  it('lets an institution revoke its own instance and head keys, and no others', async () => {
    const { kid } = world.member('a').instance
    const link = await after([revoke(kid), revoke(world.head.kid)])
    expect(getRecord(link.state, 'instance/a-1')).toMatchObject({ status: 'revoked' })
    expect(getRecord(link.state, `key/${world.head.kid}`)).toMatchObject({ revoked: { height: 1 } })
    expect(await rule([revoke(kid)], world.member('b').root)).toBe('revoke')
    expect(await rule([revoke(world.head.kid)], world.member('b').root)).toBe('revoke')
    expect(await rule([revoke(spare.kid)])).toBe('revoke')
    expect(await rule([revoke(world.member('a').root.kid)])).toBe('revoke')
    expect(await rule([revoke(world.member('a').recovery.kid)])).toBe('revoke')
    expect(await rule([revoke(kid), revoke(kid, 'suspended')])).toBe('revoke')
    expect(await rule([revoke(kid), revoke(kid, 'compromised')])).toBeNull()
    expect(await rule([revoke(kid, 'compromised'), revoke(kid)])).toBe('revoke')
  })

  it('keeps the height at which a key was suspended, whatever becomes of it later', async () => {
    const { kid } = world.member('a').instance
    const suspended = await after([revoke(kid, 'suspended')])
    const root = world.member('a').root
    expect(await rule([revoke(kid, 'suspended')], root, suspended)).toBe('revoke')
    const final = await after([revoke(kid, 'compromised')], root, suspended)
    expect(getRecord(final.state, `key/${kid}`)).toMatchObject({
      revoked: { reason: 'compromised', height: 1 },
    })
  })

  it('names a time of suspicion for compromised keys only', async () => {
    const { kid } = world.member('a').instance
    const suspectFrom = toTimestamp(START - 1000)
    const since = (reason: 'retired' | 'suspended' | 'compromised'): RegistryChange[] => [
      { act: 'revoke', kid, reason, suspectFrom },
    ]
    expect(await rule(since('retired'))).toBe('revoke')
    expect(await rule(since('suspended'))).toBe('revoke')
    expect(await rule(since('compromised'))).toBeNull()
  })
})

describe('root keys', () => {
  const replace = (id: string, signer: Signer): RegistryChange => ({
    act: 'replace-root',
    institution: asInstitutionId(id),
    root: keyRecord(signer.publicKey, 'root', { institution: asInstitutionId(id) }),
  })

  it('are replaced by the recovery key, which stops the old one', async () => {
    const { root, recovery } = world.member('a')
    const link = await after([replace('a', spare)], recovery)
    const enrol = enrolment('a', 'a-2', newcomer.instance)
    const by = async (signer: Signer) =>
      brokenRule(link, await seal(link, draftChange(link, [enrol]), signer))
    expect(await by(root)).toBe('author')
    expect(await by(spare)).toBeNull()
  })

  it("are not replaced by a root key, another institution's recovery key or a known key", async () => {
    const { recovery } = world.member('a')
    expect(await rule([replace('a', spare)], world.member('a').root)).toBe('replace-root')
    expect(await rule([replace('a', spare)], world.member('b').recovery)).toBe('replace-root')
    expect(await rule([replace('a', world.member('b').root)], recovery)).toBe('kid-owner')
    expect(await rule([replace('a', recovery)], recovery)).toBe('kid-owner')
    const key = keyRecord(spare.publicKey, 'sign', { institution: asInstitutionId('a') })
    const sign: RegistryChange = { act: 'replace-root', institution: asInstitutionId('a'), root: key }
    expect(await rule([sign], recovery)).toBe('replace-root')
    const owner = { institution: asInstitutionId('a'), instance: asInstanceId('a-1') }
    const root: RegistryChange = { ...sign, root: keyRecord(spare.publicKey, 'root', owner) }
    expect(await rule([root], recovery)).toBe('replace-root')
    const misnamed = { ...replace('a', spare), root: { ...key, use: 'root', kid: newcomer.root.kid } }
    expect(await rule([misnamed as RegistryChange], recovery)).toBe('replace-root')
  })

  it('do everything else: a recovery key, an instance key and a head key do not', async () => {
    const enrol = enrolment('a', 'a-2', spare)
    const { recovery, instance } = world.member('a')
    expect(await rule([enrol], recovery)).toBe('recovery-key')
    expect(await rule([replace('a', newcomer.root), enrol], recovery)).toBe('recovery-key')
    expect(await rule([enrol], instance)).toBe('author')
    expect(await rule([enrol], world.head)).toBe('author')
  })
})

describe('deployments and rules', () => {
  it('lets an institution deploy at an origin of its own and renew the head key', async () => {
    const link = await after([deploying('b', 'home-2', 'http://two.test', spare)], world.member('b').root)
    const renewed = deploying('b', 'home-2', 'http://two.test', newcomer.instance)
    expect(await rule([renewed], world.member('b').root, link)).toBeNull()
  })

  it("never puts a second deployment at an origin, which could sign heads in the first one's name", async () => {
    const taken = deploying('b', 'home-2', 'http://home.test', spare)
    expect(await rule([taken], world.member('b').root)).toBe('origin')
    expect(await rule([deploying('a', 'home-3', 'http://home.test', spare)])).toBe('origin')
    const free = deploying('b', 'home-2', 'http://two.test', spare)
    const twice = deploying('b', 'home-3', 'http://two.test', newcomer.instance)
    expect(await rule([free, twice], world.member('b').root)).toBe('origin')
  })

  it("refuses another institution's deployment and a key that is not the deployment's", async () => {
    const deploy = deploying('b', 'home-2', 'http://two.test', spare)
    const { root } = world.member('b')
    expect(await rule([deploy])).toBe('deploy')
    expect(await rule([deploying('b', 'home-1', 'http://two.test', spare)], root)).toBe('deploy')
    expect(await rule([{ ...deploy, key: { ...deploy.key, use: 'sign' } }], root)).toBe('deploy')
    const other = { ...deploy, key: deploying('b', 'home-3', 'http://two.test', spare).key }
    expect(await rule([other], root)).toBe('deploy')
    expect(await rule([deploying('b', 'home-2', 'http://two.test', world.head)], root)).toBe('kid-owner')
  })

  it('moves the home of the registry to a known deployment only, and a demonstration stays one', async () => {
    const rules = (home: string, demo: boolean): RegistryChange => ({
      act: 'rules',
      rules: { v: 1, kind: 'rules', home: asDeploymentId(home), demo },
    })
    expect(await rule([rules('nowhere', true)])).toBe('rules')
    expect(await rule([rules('home-1', false)])).toBe('rules')
    expect(await rule([deploying('a', 'home-2', 'http://two.test', spare), rules('home-2', true)])).toBeNull()
    const link = await after([deploying('a', 'home-2', 'http://two.test', spare)])
    const moved = await after([rules('home-2', true)], world.member('a').root, link)
    expect(must(getRecord(moved.state, 'rules'))).toMatchObject({ home: 'home-2' })
  })
})
