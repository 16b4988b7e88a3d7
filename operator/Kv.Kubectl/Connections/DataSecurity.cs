using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Kv.Kubectl.Connections;

/// <summary>
/// TLS to nodes, and who asks their grpc ports, where the cluster has security on. The password comes from a file or from the environment: arguments are for everybody to read. No record, so
/// that nothing prints it.
/// </summary>
internal sealed class DataSecurity
{
    private const string PasswordVariable = "KV_PASSWORD";

    private readonly string? header;
    private readonly X509Certificate2Collection? authorities;

    private DataSecurity(string? header, X509Certificate2Collection? authorities) => (this.header, this.authorities) = (header, authorities);

    /// <summary>Null where neither is asked for.</summary>
    public static DataSecurity? Of(string? user, string? passwordFile, string? authoritiesFile)
    {
        if (user is null && passwordFile is not null)
        {
            throw CliException.Usage("--password-file needs --user");
        }

        return user is null && authoritiesFile is null ? null : new DataSecurity(user is null ? null : HeaderOf(user, passwordFile), authoritiesFile is null ? null : Load(authoritiesFile));
    }

    /// <summary>Names in the node's certificate are looked at where it is asked by its own address, and not through a port-forward.</summary>
    public void Secure(SocketsHttpHandler handler, bool checksNames)
    {
        var allowed = checksNames ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateNameMismatch;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) => certificate is not null && (errors & ~allowed) == SslPolicyErrors.None;
        if (authorities is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
    }

    public CallInvoker Identify(CallInvoker invoker) => header is null ? invoker : invoker.Intercept(metadata =>
    {
        metadata.Add("authorization", header);
        return metadata;
    });

    private static string HeaderOf(string user, string? passwordFile)
    {
        var password = passwordFile is null ? Environment.GetEnvironmentVariable(PasswordVariable) ?? "" : Read(passwordFile, File.ReadAllText).Split('\n', 2)[0].TrimEnd('\r');
        return "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
    }

    private static X509Certificate2Collection Load(string file) => Read(file, path =>
    {
        var loaded = new X509Certificate2Collection();
        loaded.ImportFromPemFile(path);
        return loaded.Count > 0 ? loaded : throw new CryptographicException("it holds no certificate");
    });

    private static T Read<T>(string file, Func<string, T> read)
    {
        try
        {
            return read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw CliException.Usage($"{file} cannot be used: {e.Message}");
        }
    }
}
