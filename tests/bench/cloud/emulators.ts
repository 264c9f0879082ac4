// SPDX-License-Identifier: Apache-2.0
import type { Provider } from '#infra/bundle/bundle.ts'

type Hook = { readonly default: () => Promise<void> }

/** Runs an act while the emulators of a provider run, as tests have them; what they are told of is in the environment. */
export async function onEmulators<T>(provider: Provider, act: () => Promise<T>): Promise<T> {
  const hook = async (name: string) =>
    (await import(new URL(`../../cloud/${provider}/emulators/${name}.mjs`, import.meta.url).href)) as Hook
  await (await hook('start')).default()
  try {
    return await act()
  } finally {
    await (await hook('stop')).default()
  }
}
