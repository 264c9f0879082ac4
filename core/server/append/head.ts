// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { signHead } from '../../api/head.ts'
import type { Now, Signer } from '../../ports/keys.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import type { Home } from '../home.ts'

/**
 * Signs that `block` is, at this time, the newest of its chain here.
 * @param registry as it was read for this request, where it was: then it is not read once more
 * @throws AmpereError KEY_UNAVAILABLE, also while the clock of the home cannot be trusted
 */
export async function headStatement(
  ports: { readonly now: Now; readonly keys: { readonly head: Signer } },
  home: Home,
  block: ParsedBlock,
  registry: RegistryHistory | null = null,
): Promise<string> {
  // Before anything is awaited: a later block may be stated meanwhile, and this one with a later time would contradict that.
  const time = toTimestamp((home.dated ?? ports.now)())
  const newest = (registry ?? (await home.registry.refresh())).newest().head
  return signHead(
    {
      v: 1,
      chain: block.chain,
      height: block.block.height,
      block: block.id,
      registry: newest,
      time,
      origin: home.origin,
      durability: home.durability,
    },
    ports.keys.head,
  )
}
