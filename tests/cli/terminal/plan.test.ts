// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { freshFolder, jsonOf, run } from '../harness.ts'

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
      1,
      'recoveryDays is a whole number from 0 to 35',
    ],
    [['--institution', 'a=A', '--param', 'x'], 2, 'a parameter is NAME=VALUE'],
    [['--institution', 'a=A', '--stage', 'Prod'], 1, 'the stage is'],
    [['--institution', 'a=A', '--param', 'deploys=both'], 1, 'only a home can be deployed yet'],
    [['--institution', 'a=A', '--param', 'budget=1'], 2, 'there is no parameter budget; there are: deploys'],
    [['--institution', 'a=A', '--role', 'bridge'], 1, 'it is not built'],
    [['--institution', 'a=A', '--role', 'both'], 1, 'it is not built'],
    [['--institution', 'a=A', '--param', 'nativeKeys=RSA'], 1, 'nativeKeys lists some of'],
    [[], 2, 'needs its founders'],
  ])('refuses %j', async (args, code, says) => {
    const refused = await run(['deploy', 'aws', '--plan', ...args, '--data', freshFolder()])
    expect({ code: refused.code, says: refused.err.includes(says) }).toEqual({ code, says: true })
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
