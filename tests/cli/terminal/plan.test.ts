// SPDX-License-Identifier: Apache-2.0
import { partition } from '@aws-sdk/core/client'
import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { asDeploymentId, type Digest } from '#core/bytes/ids.ts'
import { join } from 'node:path'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { REGIONS } from '#infra/aws/regions.ts'
import { freshFolder, jsonOf, run, testTerminal } from '../harness.ts'

describe('the plan of a deployment', () => {
  it('says what would be made, and makes nothing, not even keys', async () => {
    const data = freshFolder()
    const planned = await run(['deploy', 'aws', '--plan', '--institution', 'a=A', '--json', '--data', data])
    expect(planned.code).toBe(0)
    const { functions, resources } = jsonOf(planned) as {
      functions: string[]
      resources: Record<string, number>
    }
    expect(functions).toContain('sequencer')
    expect(resources['AWS::Lambda::Function'] ?? functions.length).toBeGreaterThan(10)
    expect(resources['AWS::KMS::Key']).toBe(3)
    expect(existsSync(join(data, 'cloud'))).toBe(false)
  })

  it.each([
    [
      ['--institution', 'a=A', '--param', 'recoveryDays=90'],
      2,
      'recoveryDays is a whole number from 0 to 35',
    ],
    [['--institution', 'a=A', '--param', 'x'], 2, 'a parameter is NAME=VALUE'],
    [['--institution', 'a=A', '--stage', 'Prod'], 2, 'the stage is'],
    [
      ['--institution', 'a=A', '--param', 'deploys=both'],
      2,
      'there is no parameter deploys; there are: recov',
    ],
    [['--institution', 'a=A', '--param', 'budget=1'], 2, 'there is no parameter budget; there are: recov'],
    [['--institution', 'a=A', '--role', 'bridge'], 2, 'a bridge needs its home: --home'],
    [
      ['--institution', 'a=A', '--role', 'bridge', '--home', 'aws-none'],
      1,
      'no home was deployed as aws-none',
    ],
    [['--institution', 'a=A', '--role', 'both', '--home', 'aws-prod'], 2, '--home is for a bridge alone'],
    [['--institution', 'a=A', '--param', 'nativeKeys=RSA'], 2, 'nativeKeys lists some of'],
    [['--institution', 'a=A', '--region', 'eu-centrl-1'], 2, 'AWS has no region eu-centrl-1'],
    [[], 2, 'needs its founders'],
  ])('refuses %j', async (args, code, says) => {
    const refused = await run(['deploy', 'aws', '--plan', ...args, '--data', freshFolder()])
    expect({ code: refused.code, says: refused.err.includes(says) }).toEqual({ code, says: true })
  })

  it.each(['West Europe', 'eu-central-1'])(
    'refuses the region %s on Azure before it asks who is there',
    async (region) => {
      const args = ['--institution', 'a=A', '--region', region, '--data', freshFolder()]
      const { code, err } = await run(['deploy', 'azure', '--plan', ...args])
      const says = `Azure has no region ${region}: they are called as westeurope is`
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) })
    },
  )

  it('with --role both has the bridge beside the home: its table, its keys and two functions more', async () => {
    const planned = async (...args: string[]) => {
      const result = await run([
        'deploy',
        'aws',
        '--plan',
        '--institution',
        'a=A',
        '--json',
        '--data',
        freshFolder(),
        ...args,
      ])
      expect(result.code).toBe(0)
      return jsonOf(result) as {
        functions: string[]
        resources: Record<string, number>
        idle: { total: number }
      }
    }
    const [home, both] = [await planned(), await planned('--role', 'both')]
    expect(both.functions.filter((name) => !home.functions.includes(name))).toEqual(['bridge', 'checker'])
    const more = (type: string) => (both.resources[type] ?? 0) - (home.resources[type] ?? 0)
    expect(['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::S3::Bucket'].map(more)).toEqual([1, 1, 0])
    expect(JSON.stringify(both.idle)).not.toBe(JSON.stringify(home.idle))
  })

  it('of a bridge alone is of what that needs, for a home that was deployed from the same folder', async () => {
    const data = freshFolder()
    writeCloudDeployment(cloudFolder(data, 'aws', 'prod'), {
      v: 1,
      provider: 'aws',
      stage: 'prod',
      region: 'eu-central-1',
      parameters: {},
      institutions: [{ id: 'a', name: 'A' }],
      demo: true,
      home: {
        deployment: asDeploymentId('home-1'),
        origin: 'https://home.test',
        registry: 'A'.repeat(43) as Digest,
        log: [],
        witness: [],
      },
    })
    const given = [
      'deploy',
      'aws',
      '--plan',
      '--stage',
      'a',
      '--role',
      'bridge',
      '--home',
      'aws-prod',
      '--data',
      data,
    ]
    const planned = await run([...given, '--institution', 'a=A', '--json'])
    expect(planned.code).toBe(0)
    const { functions, resources } = jsonOf(planned) as {
      functions: string[]
      resources: Record<string, number>
    }
    expect(functions).toEqual(['bridge', 'checker'])
    expect(
      ['AWS::DynamoDB::Table', 'AWS::KMS::Key', 'AWS::S3::Bucket'].map((type) => resources[type] ?? 0),
    ).toEqual([1, 3, 0])
    const others = await run([...given, '--institution', 'b=B'])
    expect([others.code, others.err]).toEqual([1, expect.stringContaining('aws-prod has no keys of b')])
    const two = await run([...given, '--institution', 'a=A', '--institution', 'b=B'])
    expect([two.code, two.err]).toEqual([2, expect.stringContaining('a bridge is of one institution')])
    const home = [
      'deploy',
      'aws',
      '--plan',
      '--stage',
      'prod',
      '--data',
      data,
      '--role',
      'bridge',
      '--home',
      'aws-prod',
    ]
    expect(await run(home)).toMatchObject({ code: 1, err: expect.stringContaining('is deployed as home') })
  })

  it('is for the region of the deployment, or that of the environment', async () => {
    const data = freshFolder()
    const plan = async (env: Readonly<Record<string, string>>, ...args: string[]) =>
      jsonOf(
        await run(
          ['deploy', 'aws', '--plan', '--institution', 'a=A', '--json', '--data', data, ...args],
          testTerminal({ env }),
        ),
      )['region']
    const there = { AWS_REGION: 'eu-north-1' }
    expect(await plan({})).toBe('eu-central-1')
    expect(await plan({ AWS_REGION: '' })).toBe('eu-central-1')
    expect(await plan(there)).toBe('eu-north-1')
    expect(await plan({ AWS_DEFAULT_REGION: 'eu-west-1' })).toBe('eu-west-1')
    expect(await plan(there, '--region', 'us-east-1')).toBe('us-east-1')
    const known = { v: 1, provider: 'aws', stage: 'dev', region: 'eu-west-3', parameters: {} } as const
    const founders = { institutions: [{ id: 'a', name: 'A' }], demo: true, home: null }
    writeCloudDeployment(cloudFolder(data, 'aws', 'dev'), { ...known, ...founders })
    expect(await plan(there)).toBe('eu-west-3')
  })

  it('knows the regions that the SDK of AWS knows', () => {
    for (const region of REGIONS) expect(partition(region)).toHaveProperty('description')
    expect(partition('eu-central-9')).not.toHaveProperty('description')
  })

  it('of a stage in both clouds is told apart by the provider', async () => {
    const data = freshFolder()
    for (const provider of ['aws', 'azure'] as const)
      writeCloudDeployment(cloudFolder(data, provider, 'both'), {
        v: 1,
        provider,
        stage: 'both',
        region: 'somewhere',
        parameters: {},
        institutions: [{ id: 'a', name: 'A' }],
        demo: true,
        home: null,
      })
    const which = await run(['deploy', 'status', '--stage', 'both', '--data', data])
    expect([which.code, which.err]).toEqual([
      2,
      expect.stringContaining('--provider aws or --provider azure'),
    ])
  })

  it('of a stage that was never deployed has no standing, and nothing to remove', async () => {
    for (const verb of ['status', 'destroy']) {
      const none = await run(['deploy', verb, '--stage', 'none', '--data', freshFolder()])
      expect([none.code, none.err]).toEqual([1, expect.stringContaining('nothing was deployed as none')])
    }
  })
})
