package io.radixflow.schemas;

import java.io.Serializable;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Where a schema registry is and who we are there. Its text never holds the password.
 *
 * @param url http or https, with the path that its {@code /schemas} and {@code /subjects} lie under
 * @param user for basic authentication, or null for none
 * @param password of the user, or null
 */
public record RegistryAccess(
        String url, @Nullable String user, @Nullable String password) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** @throws IllegalArgumentException in words for the user, if the address is none or only one of user and password is there */
    public RegistryAccess {
        URI uri = parse(url);
        boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!isHttp || uri.getHost() == null || uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException("takes an address such as http://localhost:8081");
        }
        if (uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("must hold no user and password; give them by flags of their own");
        }
        if ((user == null) != (password == null)) {
            throw new IllegalArgumentException("needs both a user and a password, or neither");
        }
        url = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    }

    private static URI parse(String url) {
        try {
            return new URI(url);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("takes an address such as http://localhost:8081", e);
        }
    }

    URI resolve(String path) {
        return URI.create(url + path);
    }

    /** The value of the header {@code Authorization}, or null. */
    @Nullable
    String authorization() {
        if (user == null) {
            return null;
        }
        byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(pair);
    }

    @Override
    public String toString() {
        return user == null ? url : url + " as " + user;
    }
}
