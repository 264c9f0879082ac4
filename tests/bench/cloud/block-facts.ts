// SPDX-License-Identifier: Apache-2.0
import { jsonLog } from '#functions/host/telemetry.ts'
import { factsOf as awsFacts } from '#infra/aws/facts.ts'
import { DEFAULTS as AWS_DEFAULTS } from '#infra/aws/settings.ts'
import { storesTemplateOf, templateOf } from '#infra/aws/template.ts'
import { factsOf as azureFacts } from '#infra/azure/facts.ts'
import { azureTemplateOf, DEFAULTS as AZURE_DEFAULTS } from '#infra/azure/template.ts'
import type { Provider } from '#infra/bundle/bundle.ts'
import type { BlockFacts } from '#infra/prices/block-cost.ts'
import type { TemplateFacts } from '#infra/prices/idle-cost.ts'
import type { Measured } from '../capacity/measured.ts'

const STAGE = 'prod'

/** What the templates of a deployment with default parameters have that costs money while nobody uses it. */
export function idleFacts(provider: Provider): TemplateFacts {
  return provider === 'aws'
    ? awsFacts(storesTemplateOf(STAGE, AWS_DEFAULTS), templateOf(STAGE, AWS_DEFAULTS))
    : azureFacts(STAGE, azureTemplateOf(STAGE, AZURE_DEFAULTS))
}

/** What a block costs, from what was counted on the memory platform and from the templates. */
export function blockFacts(provider: Provider, { append, run, perChain, clean }: Measured): BlockFacts {
  return { append, run, perChain, clean, ...memoryOf(provider), lineBytes: lineBytes() }
}

/** Memory of the two functions that a block meets, in MB. */
function memoryOf(provider: Provider): Pick<BlockFacts, 'writerMb' | 'sequencerMb'> {
  if (provider === 'aws') {
    const { functions } = templateOf(STAGE, AWS_DEFAULTS) as {
      readonly functions: Readonly<Record<string, { readonly memorySize: number }>>
    }
    return {
      writerMb: functions['writer']?.memorySize ?? 0,
      sequencerMb: functions['sequencer']?.memorySize ?? 0,
    }
  }
  const sizes = azureTemplateOf(STAGE, AZURE_DEFAULTS).resources.flatMap((resource) => {
    const role = /-(writer|sequencer)-/.exec(resource.name)?.[1]
    const size = /"instanceMemoryMB":(\d+)/.exec(JSON.stringify(resource))?.[1]
    return role === undefined || size === undefined ? [] : [[role, Number(size)] as const]
  })
  const found = new Map(sizes)
  return { writerMb: found.get('writer') ?? 0, sequencerMb: found.get('sequencer') ?? 0 }
}

/** Bytes of the line that a host logs of an append (functions/host/app.ts). */
function lineBytes(): number {
  let bytes = 0
  const log = jsonLog(
    (line) => (bytes += line.length + 1),
    () => 0,
  )
  log({
    event: 'request',
    requestId: 'r_0123456789abcdef0123',
    role: 'writer',
    method: 'POST',
    route: '/v1/blocks',
    status: 201,
    durationMs: 100,
  })
  return bytes
}
