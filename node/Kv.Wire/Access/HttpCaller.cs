using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Access;

/// <summary>Who calls over HTTP, of any version: by basic credentials, by a client certificate, or by both.</summary>
internal static class HttpCaller
{
    /// <summary>Null where the caller says nothing of itself.</summary>
    public static Credentials? Read(HttpContext http)
    {
        var commonName = CommonName(http.Connection.ClientCertificate);
        var basic = BasicCredentials.Read(http.Request.Headers.Authorization);
        var user = basic?.User ?? commonName;
        return user is null ? null : new Credentials(user, basic?.Password, http.Connection.RemoteIpAddress, commonName);
    }

    /// <summary>Null where there is none, or more than one.</summary>
    public static string? CommonName(X509Certificate2? certificate)
    {
        const string CommonNameOid = "2.5.4.3";
        if (certificate is null)
        {
            return null;
        }

        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonNameOid)
            .Select(part => part.GetSingleElementValue())
            .ToList();
        return names.Count == 1 ? names[0] : null;
    }
}
