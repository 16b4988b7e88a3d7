using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kv.Wire.Access;

namespace Kv.Wire.Tests.Access;

/// <summary>An authority that issues certificates into a directory of its own.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string directory = Directory.CreateTempSubdirectory("kv-tls-").FullName;
    private readonly X509Certificate2 root;

    public TestAuthority(string name = "authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root = request.CreateSelfSigned(From, Until);
        File.WriteAllText(AuthorityFile, root.ExportCertificatePem());
    }

    public string AuthorityFile => Path.Combine(directory, "ca.pem");

    public TlsFiles Files => new(Path.Combine(directory, "tls.pem"), Path.Combine(directory, "tls.key"), AuthorityFile);

    /// <summary>Writes a node's certificate to <see cref="Files"/>.</summary>
    public void IssueServer(string commonName = "localhost")
    {
        using var certificate = Issue(commonName, "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(Files.Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Files.Certificate, certificate.ExportCertificatePem());
    }

    public X509Certificate2 IssueClient(string commonName)
    {
        using var certificate = Issue(commonName, "1.3.6.1.5.5.7.3.2");
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    public void Dispose()
    {
        root.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private X509Certificate2 Issue(string commonName, params string[] usages)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.Select(usage => new Oid(usage))], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(root, From, Until, RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
