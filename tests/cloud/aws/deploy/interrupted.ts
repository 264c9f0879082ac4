// SPDX-License-Identifier: Apache-2.0
// A program of its own, because the bundler does not run in Jest: deploys, and dies after the step that is named.
import { deployAws } from '#cli/cloud/aws/deploy.ts'

const [folder = '', stage = '', step = ''] = process.argv.slice(2)
const institutions = [
  { id: 'hospital-a', name: 'Hospital A' },
  { id: 'hospital-b', name: 'Hospital B' },
  { id: 'clinic-c', name: 'Clinic C' },
]
await deployAws(
  {
    v: 1,
    provider: 'aws',
    stage,
    region: 'eu-central-1',
    // The software keys are those of post-quantum signatures: the emulator has no others of its own.
    parameters: { nativeKeys: 'Ed25519' },
    institutions,
    demo: true,
    home: null,
  },
  {
    folder,
    passphrase: { text: 'of the test', masters: new Map(), isRandom: true },
    say: (line) => {
      if (line.startsWith(step)) process.exit(9)
    },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
)
