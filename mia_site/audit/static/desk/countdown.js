// Counts down to the time in data-until, once a second: "1 d 2:03:04", with the reader's own "d" from data-day. Without
// scripts the page says it in words.
document.addEventListener("DOMContentLoaded", () => {
    const two = (value) => String(value).padStart(2, "0");
    const show = (place) => {
        const left = Math.max(0, Math.floor((new Date(place.dataset.until) - Date.now()) / 1000));
        const days = Math.floor(left / 86400);
        const clock = `${Math.floor((left % 86400) / 3600)}:${two(Math.floor((left % 3600) / 60))}:${two(left % 60)}`;
        place.textContent = days ? `${days} ${place.dataset.day} ${clock}` : clock;
    };
    const places = document.querySelectorAll("[data-until]");
    const all = () => places.forEach(show);
    all();
    if (places.length) setInterval(all, 1000);
});
