// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { cloudFolder, readCloudDeployment, type CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { deployAws, makeKept } from '#cli/cloud/aws/deploy.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { isAmpereError } from '#core/errors.ts'
import { whoAmI } from '#infra/deploy/aws/account.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { CREDENTIALS, describeOn } from '../stack.ts'
import { failingWire, type Cut, type FailingWire } from './failing-wire.ts'

const REGION = 'eu-central-1'
const VARIABLES = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: REGION,
}

/** Calls after which something is there that was not before; the others only ask. */
const CHANGES = /^CreateStack$|\.(PutItem|Encrypt)$/

const wanted = (stage: string): CloudDeployment => ({
  v: 1,
  provider: 'aws',
  stage,
  region: REGION,
  parameters: { nativeKeys: 'Ed25519' },
  institutions: [{ id: 'hospital-a', name: 'Hospital A' }],
  demo: true,
  home: null,
})

describeOn('MiniStack', 'what a deployment keeps', () => {
  const held: { wire?: FailingWire; before?: Record<string, string | undefined> } = {}
  const wire = () => held.wire as FailingWire
  const data = freshFolder()

  /** Makes what a stage keeps, over a wire that is cut or whole. */
  const make = async (stage: string, cut?: Cut): Promise<CloudDeployment> => {
    wire().mend(cut)
    const folder = cloudFolder(data, 'aws', stage)
    makeFolder(folder)
    const { account } = await whoAmI(REGION)
    const passphrase = { text: 'of the test', masters: new Map(), isRandom: true }
    const deploying = { folder, passphrase, say: () => {}, pause: async () => {} }
    return makeKept(readCloudDeployment(folder) ?? wanted(stage), account, deploying)
  }

  /** From a data folder that knows nothing of it, a deployment that is there is left alone. */
  const elsewhere = async (stage: string): Promise<void> => {
    wire().mend()
    const passphrase = { text: 'of another', masters: new Map(), isRandom: true }
    const deploying = { folder: freshFolder(), passphrase, say: () => {}, pause: async () => {} }
    await expect(deployAws(wanted(stage), deploying)).rejects.toMatchObject({
      message: expect.stringMatching(/this data folder knows nothing of it: nothing was changed$/),
    })
    expect(wire().asked).toEqual(['GetCallerIdentity', 'DescribeStacks'])
    await expect(makeKept(wanted(stage), '000000000000', deploying)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
  }

  beforeAll(async () => {
    held.wire = await failingWire(process.env['AMPERE_AWS_MINISTACK'] ?? '')
    held.before = Object.fromEntries(
      ['AWS_ENDPOINT_URL', ...Object.keys(VARIABLES)].map((name) => [name, process.env[name]]),
    )
    Object.assign(process.env, VARIABLES, { AWS_ENDPOINT_URL: held.wire.url })
  })

  afterAll(async () => {
    for (const [name, value] of Object.entries(held.before ?? {}))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    await held.wire?.close()
  })

  it('is made from whatever of it was made when the wire was cut, and stays as it is when it is made again', async () => {
    expect(await make('whole')).toEqual(await make('whole'))
    await elsewhere('whole')
    wire().mend()
    await make('calls')
    const asked = [...wire().asked]
    expect(asked.filter((kind) => CHANGES.test(kind)).length).toBeGreaterThan(6)
    for (const [at, kind] of asked.entries()) {
      const modes = CHANGES.test(kind) ? [false, true] : asked.indexOf(kind) === at ? [false] : []
      for (const isApplied of modes) {
        const stage = `c${at}${isApplied ? 'a' : 'n'}`
        const what = { kind, at, isApplied }
        const failed = await make(stage, { at, isApplied }).then(
          () => 'it did not fail',
          (error: unknown) => (isAmpereError(error) ? 'failed' : error),
        )
        expect({ ...what, failed }).toEqual({ ...what, failed: 'failed' })
        const made = await make(stage)
        expect({ ...what, again: await make(stage) }).toEqual({ ...what, again: made })
      }
    }
  }, 300_000)
})
