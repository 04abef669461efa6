package io.radixflow.model;

/**
 * What a model's files say about one tensor, for people.
 *
 * @param name in the files
 * @param typeName how its numbers are stored
 * @param numElements numbers in it
 * @param numBytes in the file, or -1 for a type that can't be read
 */
public record StoredTensor(String name, String typeName, long numElements, long numBytes) {}
