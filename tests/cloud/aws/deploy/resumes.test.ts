// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { cloudFolder, readCloudDeployment, type CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { deployAws, makeKept } from '#cli/cloud/aws/deploy.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { isAmpereError } from '#core/errors.ts'
import { whoAmI } from '#infra/deploy/aws/account.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { describeOn } from '../stack.ts'
import { REGION, wireForTests, type Cut } from './failing-wire.ts'

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
  const wire = wireForTests()
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
