package io.radixflow.backend.cuda;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/** The driver's library, for calls that JCuda doesn't have; it is there, since a device was found. */
final class Driver {

    private static final String[] NAMES = {"libcuda.so.1", "libcuda.so"};

    private Driver() {}

    /** Binds the native methods of a class, in whose initialiser this is called. */
    static void register(Class<?> methods) {
        for (int i = 0; ; i++) {
            try {
                Native.register(methods, NativeLibrary.getInstance(NAMES[i]));
                return;
            } catch (UnsatisfiedLinkError e) {
                if (i + 1 == NAMES.length) {
                    throw e;
                }
            }
        }
    }
}
