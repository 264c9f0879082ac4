// SPDX-License-Identifier: Apache-2.0
import { onAzureAs } from '../host/cloud/azure.ts'
import { parseBridgeConfig } from '../host/cloud/bridge-config.ts'
import { openBridging, SERVICE } from './alone.ts'

onAzureAs(parseBridgeConfig, 'bridge', { answers: openBridging, service: SERVICE })
