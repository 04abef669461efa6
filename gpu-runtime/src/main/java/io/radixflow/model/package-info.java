/**
 * Architectures as lists of ops over the backend SPI, and their configurations. A model reads its weights once and holds no
 * state of a request.
 */
@NullMarked
package io.radixflow.model;

import org.jspecify.annotations.NullMarked;
