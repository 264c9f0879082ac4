// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { storesTemplateOf } from '#infra/aws/template.ts'
import { azureTemplateOf, DEFAULTS } from '#infra/azure/template.ts'
import { awsNames } from '#infra/permissions/aws/names.ts'
import { moverPolicy } from '#infra/permissions/aws/policy.ts'
import { BACKUP, identitiesOf, moverOf, type Moves } from '#infra/permissions/identities.ts'
import { deployed, outputsOf } from '../azure/arm.ts'

const arn = (name: string) => `arn:aws:kms:eu-central-1:111122223333:key/${name}`
const names = awsNames({
  prefix: 'ampere-test',
  partition: 'aws',
  region: 'eu-central-1',
  account: '111122223333',
  dataKey: arn('data'),
  wrappingKey: arn('wrapping'),
  signingKey: arn,
  stream: arn,
})
const BOTH = ['receives', 'leaves'] as const
const rolesOf = (moves: Moves | null) =>
  Object.entries(storesTemplateOf('test', {}, moves).Resources).flatMap(([id, { Type }]) =>
    Type === 'AWS::IAM::Role' ? [id] : [],
  )
const principal = '11111111-2222-3333-4444-555555555555'
const onAzure = (moves: Moves | null) =>
  azureTemplateOf('test', { ...DEFAULTS, setUpPrincipal: principal }, moves)

describe('whoever migrates a home', () => {
  it.each(BOTH)(
    'who %s it is no function, and has no key and no table of witness, mirror or bridge',
    (moves) => {
      const mover = moverOf(moves)
      expect(identitiesOf('both').map(({ name }) => name)).not.toContain(mover.name)
      expect(Object.keys(mover.needs.keys).toSorted()).toEqual(['head', 'log', 'log-quantum'])
      const others = ['witness', 'monitored', 'bridge', 'mirror', 'mirror-keys', 'audits', 'enrolments']
      expect(Object.keys(mover.needs.tables).filter((name) => others.includes(name))).toEqual([])
    },
  )

  it('has, of what several roles need, the most that one of them does', () => {
    expect(moverOf('receives').needs.tables).toMatchObject({
      blocks: 'write',
      dirty: 'write',
      leaves: 'append',
    })
    expect(moverOf('receives').needs.objects).toEqual({ entries: 'shred', log: 'shred', staging: 'shred' })
    // What is left is added to by its last blocks, and nothing that it holds is replaced or destroyed.
    expect(moverOf('leaves').needs.tables).toMatchObject({
      blocks: 'append',
      wraps: 'append',
      registry: 'append',
    })
    expect(moverOf('leaves').needs.objects).toMatchObject({ entries: 'store', log: 'store' })
  })

  it.each(BOTH)('on AWS is a role that is there only while the home moves: who %s it', (moves) => {
    const { name } = moverOf(moves)
    const role = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Role`
    expect(rolesOf(null)).toEqual(['SetupRole', 'BackupRole'])
    expect(rolesOf(moves)).toEqual(['SetupRole', 'BackupRole', role])
    const template = storesTemplateOf('test', {}, moves)
    expect(template.Outputs).toHaveProperty(`${role}Arn`)
    expect(JSON.stringify(template.Resources['WrappingKey'])).toContain(`ampere-test-${name}`)
    expect(JSON.stringify(storesTemplateOf('test', {}).Resources)).not.toContain(`ampere-test-${name}`)
    const sids = moverPolicy(moverOf(moves), names).map(({ Sid }) => Sid)
    expect(sids).not.toContain('OwnLog')
    expect(sids).toEqual(expect.arrayContaining(['TablesAppend', 'SoftwareKeysRead', 'SeedsUnwrap']))
  })

  it.each(BOTH)('on Azure is assigned what a later deployment takes back by its ids: who %s it', (moves) => {
    const ids = (template: ReturnType<typeof onAzure>) => deployed(template.resources).map(({ id }) => id)
    const [before, while_] = [ids(onAzure(null)), ids(onAzure(moves))]
    const more = while_.filter((id) => !before.includes(id))
    expect(more.length).toBeGreaterThan(10)
    const { movedBy } = outputsOf(onAzure(moves))
    expect(movedBy?.value.split(' ').toSorted()).toEqual(more.toSorted())
    expect(onAzure(null).outputs).not.toHaveProperty('movedBy')
    // ARM lets a template say 64 things.
    expect(Object.keys(onAzure(moves).outputs).length).toBeLessThan(64)
  })
})

describe('whoever backs a home up', () => {
  const other = principal.replace(/5$/, '6')
  const assignedTo = (resources: ReturnType<typeof deployed>, id: string) =>
    resources.filter(
      ({ properties }) => (properties as { principalId?: string } | undefined)?.principalId === id,
    )

  it('reads what a backup has, and has no key', () => {
    expect(BACKUP.needs).toEqual(BACKUP_NEEDS)
    const { tables, objects, keys } = BACKUP.needs
    expect(new Set([...Object.values(tables), ...Object.values(objects)])).toEqual(new Set(['read', 'fetch']))
    expect(keys).toEqual({})
    expect(identitiesOf('both').map(({ name }) => name)).not.toContain(BACKUP.name)
  })

  it('on AWS is a role of every home and of no bridge alone, which may do nothing but read', () => {
    const actions = moverPolicy(BACKUP, names).flatMap(({ Action }) => Action)
    expect(new Set(actions)).toEqual(
      new Set(['dynamodb:GetItem', 'dynamodb:Query', 's3:GetObject', 's3:ListBucket', 'kms:Decrypt']),
    )
    const { Properties } = storesTemplateOf('test', {}).Resources['BackupRole'] ?? { Properties: {} }
    expect(Properties).toMatchObject({ RoleName: 'ampere-test-backup' })
    expect(storesTemplateOf('test', { deploys: 'bridge' }).Resources).not.toHaveProperty('BackupRole')
  })

  it('on Azure is whom the template names, and nobody where it names nobody', () => {
    const template = (backupPrincipal: string, deploys = 'home') =>
      azureTemplateOf('test', { ...DEFAULTS, setUpPrincipal: principal, backupPrincipal, deploys })
    const made = deployed(template(other).resources)
    const assigned = assignedTo(made, other)
    const uses = [...Object.keys(BACKUP.needs.tables), ...Object.keys(BACKUP.needs.objects)]
    expect(assigned).toHaveLength(uses.length)
    const said = outputsOf(template(other))
    expect(said['backedUpBy']?.value.split(' ').toSorted()).toEqual(assigned.map(({ id }) => id).toSorted())
    expect(said['backupPrincipal']?.value).toBe(other)
    expect(outputsOf(template(''))).not.toHaveProperty('backedUpBy')
    expect(assignedTo(deployed(template(other, 'bridge').resources), other)).toEqual([])
    expect(() => template('someone')).toThrow(/backupPrincipal is no object id/)
  })

  it('on Azure may be who also migrates the home: nothing is assigned twice', () => {
    for (const moves of BOTH) {
      const given = { ...DEFAULTS, setUpPrincipal: principal, backupPrincipal: principal }
      const { resources } = azureTemplateOf('test', given, moves)
      const assigned = assignedTo(deployed(resources), principal).map(({ properties, scope }) => {
        const { roleDefinitionId, scope: within = scope } = properties as Record<string, string>
        return `${roleDefinitionId} ${within}`
      })
      expect(assigned).toHaveLength(new Set(assigned).size)
      // What only moving needs ends with the move, and backing up stays.
      const { movedBy, backedUpBy } = outputsOf(azureTemplateOf('test', given, moves))
      const moved = movedBy?.value.split(' ') ?? []
      expect(moved.filter((id) => backedUpBy?.value.split(' ').includes(id))).toEqual([])
    }
  })
})
