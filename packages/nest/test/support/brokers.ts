export * from '../../../../e2e/support/brokers.js';
