// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import type { Platform } from '#core/ports/needs.ts'
import { allows } from '#infra/permissions/aws/allows.ts'
import { callsOf } from '#infra/permissions/aws/calls.ts'
import type { AwsNames } from '#infra/permissions/aws/names.ts'
import { moverPolicy } from '#infra/permissions/aws/policy.ts'
import { BACKUP, moverOf } from '#infra/permissions/identities.ts'
import { fakeCloud, runOn } from '#tests/e2e/migrate/fake-cloud.ts'
import { erase, migrateScene, recordOf, withHome } from '#tests/e2e/migrate/scene.ts'
import { describeOn, makeStack } from './stack.ts'
import { namesOf } from './stack-names.ts'

const WHO = { receives: moverOf('receives'), 'backs up': BACKUP, leaves: moverOf('leaves') } as const
type Who = keyof typeof WHO

describeOn('MiniStack', 'what whoever migrates a home, or backs it up, asks of AWS', () => {
  const recorded = new Map<Who, AwsCall[]>()
  const platforms: Platform[] = []
  let names: AwsNames
  let root = ''

  // Into the cloud, backed up and tried there, and out of it: the home is a role's at no time.
  beforeAll(async () => {
    const stack = await makeStack('MiniStack')
    names = namesOf(stack)
    const open = (given: Parameters<typeof stack.open>[0]) => {
      const platform = stack.open(given)
      platforms.push(platform)
      return platform
    }
    const as = (_: Platform, who: Who) => {
      const calls = recorded.get(who) ?? []
      recorded.set(who, calls)
      return open({ makesKeys: false, observe: (call) => void calls.push(call) })
    }
    const { cloud } = fakeCloud(as, 'aws', open({}))
    const scene = await migrateScene()
    ;({ root } = scene)
    const ampere = async (...args: string[]) => {
      const common = [
        '--data',
        scene.old,
        '--passphrase-file',
        join(root, 'passphrase'),
        '--no-input',
        '--json',
      ]
      const { code, said } = await runOn({ cloud }, [...args, ...common])
      expect({ args, code, said: code === 0 ? '' : said }).toEqual({ args, code: 0, said: '' })
    }
    await withHome(scene.old, async (at) => {
      const { record, device } = await recordOf(at, ['kept', 'erased'], 1)
      await erase(at, record, device, 'erased')
    })
    await ampere('migrate', '--to', 'aws-prod', '--region', 'eu-central-1')
    const backup = join(root, 'backup')
    await ampere('backup', '--to', backup, '--cloud', 'aws-prod')
    await ampere('restore', '--from', backup, '--drill', '--cloud', 'aws-prod')
    await ampere('migrate', '--from', 'aws-prod', '--to', join(root, 'back'), '--port', '19995')
  }, 300_000)
  afterAll(async () => {
    for (const platform of platforms) await platform.close()
    rmSync(root, { recursive: true, force: true })
  })

  it.each(Object.keys(WHO) as Who[])('who %s it asks nothing that its policy does not allow', (who) => {
    const policy = moverPolicy(WHO[who], names)
    const calls = (recorded.get(who) ?? []).flatMap((call) => callsOf(names, call))
    expect(calls.length).toBeGreaterThan(20)
    const refused = calls.filter((call) => !allows(policy, call))
    expect(refused.map(({ operation, resource }) => `${operation} ${resource}`)).toEqual([])
  })

  it.each(Object.keys(WHO) as Who[])(
    'who %s it uses every kind of permission that is given, but for those named here',
    (who) => {
      const policy = moverPolicy(WHO[who], names)
      const calls = (recorded.get(who) ?? []).flatMap((call) => callsOf(names, call))
      const given = new Set(policy.flatMap(({ Action }) => Action))
      const used = new Set(calls.map(({ operation }) => operation))
      expect({ who, unused: [...given].filter((action) => !used.has(action)).toSorted() }).toEqual({
        who,
        unused: UNUSED[who],
      })
    },
  )
})

/** What only happens when an upload of several parts fails; and marks are removed 15 minutes after they were made. */
const UNUSED: Readonly<Record<Who, readonly string[]>> = {
  receives: ['s3:AbortMultipartUpload'],
  'backs up': [],
  leaves: ['dynamodb:DeleteItem', 's3:AbortMultipartUpload'],
}
