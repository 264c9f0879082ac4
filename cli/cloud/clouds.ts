// SPDX-License-Identifier: Apache-2.0
import type { Cloud } from './cloud.ts'
import type { Provider } from './providers.ts'

/** Opens what deploys to a provider. Its clients are loaded only then. */
export type OpenCloud = (env: Readonly<Record<string, string | undefined>>) => Promise<Cloud>

/** What opens each provider. */
export type Clouds = Readonly<Record<Provider, { readonly open: OpenCloud }>>

/** Every provider that a home can be deployed to, and what people call it. */
export const CLOUDS = {
  aws: { title: 'AWS', open: async (env) => (await import('./aws/cloud.ts')).awsCloud(env) },
  azure: { title: 'Azure', open: async (env) => (await import('./azure/cloud.ts')).azureCloud(env) },
} satisfies Readonly<Record<Provider, { readonly title: string; readonly open: OpenCloud }>>
