/**
 * The engine's public types: configuration, requests, outputs, statistics. They use no other package of ours, so every
 * package of the engine and every caller may use them.
 */
@NullMarked
package io.radixflow.engine;

import org.jspecify.annotations.NullMarked;
