// SPDX-License-Identifier: Apache-2.0
import { START_MS, testDeployment } from '#tests/deployment.ts'
import type { Calls } from '#tests/cloud/calls.ts'
import { figure, type Bench, type Figure } from '../measure.ts'
import type { Provider } from '#infra/bundle/bundle.ts'
import { onEmulators } from './emulators.ts'

const PROVIDERS = ['aws', 'azure'] as const
const READS = 3
const WRITES = 4

export const bench: Bench = {
  question: 'What does each act of a home ask of each cloud, counted at the adapter?',
  run: async () => {
    const figures: Figure[] = []
    for (const provider of PROVIDERS)
      for (const [act, calls] of Object.entries(await onEmulators(provider, () => actsOn(provider))))
        figures.push(...figuresOf(`${provider}: ${act}`, calls))
    return {
      sizes: 'MiniStack; Azurite, @vercel/cosmosdb-server and a fake of Key Vault; one entry in an append',
      figures,
      doesNotShow:
        'calls that a client repeats; those of a process for its own: how the home stands (at most one a second), and keys when it begins; requests to witnesses.',
    }
  },
}

async function actsOn(provider: Provider): Promise<Readonly<Record<string, Calls>>> {
  const { callsOfActs } = await import('#tests/cloud/calls.ts')
  const clock = { now: START_MS }
  const operations: string[] = []
  const options = {
    now: () => clock.now,
    observe: ({ operation }: { readonly operation: string }) => void operations.push(operation),
  }
  const { platform, close } = provider === 'aws' ? await openAws(options) : await openAzure(options)
  const world = await testDeployment(['hospital-a'], { clock, base: platform })
  const acts = await callsOfActs(world, () => operations.splice(0))
  await platform.close()
  await close()
  return acts
}

type Options = {
  readonly now: () => number
  readonly observe: (call: { readonly operation: string }) => void
}

async function openAws(options: Options) {
  const { makeStack } = await import('#tests/cloud/aws/emulators/make-stack.ts')
  const stack = await makeStack('MiniStack')
  return { platform: stack.open(options), close: async () => {} }
}

async function openAzure(options: Options) {
  const { azureStack } = await import('#tests/cloud/azure/stack.ts')
  const stack = await azureStack()
  return { platform: stack.open(options), close: () => stack.close() }
}

/** Reads, writes and keys of one act; an append has a goal for each. */
function figuresOf(name: string, calls: Calls): readonly Figure[] {
  const { row = 0, range = 0, fetch = 0, write = 0, store = 0, remove = 0, key = 0 } = calls
  const isAppend = name.includes('append')
  const counted = Object.entries(calls).map(([kind, count]) => `${count} ${kind}`)
  return [
    figure(
      `${name} (${counted.join(', ')}): reads`,
      '',
      [row + range + fetch],
      isAppend ? { atMost: READS } : null,
    ),
    figure(`${name}: writes`, '', [write + store + remove], isAppend ? { atMost: WRITES } : null),
    figure(`${name}: keys of the service`, '', [key], { atMost: 0 }),
  ]
}
